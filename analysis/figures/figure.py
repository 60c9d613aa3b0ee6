"""What a figure is: records -> outputs, each the numbers and how they are shown. Nothing here knows of any figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pandas as pd
from matplotlib.axes import Axes

from analysis.drawing import save
from analysis.drawing.style import SIZE
from analysis.runs.load import Records

Draw = Callable[[Axes, pd.DataFrame], Axes]


class Output(Protocol):
    """Files of one name. text: what the command line shows of it besides, where it is the only one."""

    @property
    def name(self) -> str: ...

    @property
    def text(self) -> str: ...

    def save(self, folder: Path, formats: Sequence[str]) -> list[Path]: ...


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture. name: of its files, `<name>.png`, `.pdf` and `.csv`. table: the numbers behind it, as in the CSV.

    note: the line under the title (None: made of the columns n_problems and seeds, if there are any).
    size: of the figure in inches.
    """

    name: str
    title: str
    table: pd.DataFrame
    draw: Draw
    note: str | None = None
    size: tuple[float, float] = SIZE

    @property
    def text(self) -> str:
        return ""

    def save(self, folder: Path, formats: Sequence[str]) -> list[Path]:
        note = save.note(self.table) if self.note is None else self.note
        files = [folder / f"{self.name}.{format}" for format in formats]
        save.picture(files, self.draw, self.table, self.title, note, self.size)
        return [*files, save.numbers(folder / f"{self.name}.csv", self.table)]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table to read: `<name>.md`, and the numbers behind it as `<name>.csv`. text: Markdown."""

    name: str
    text: str
    table: pd.DataFrame

    def save(self, folder: Path, formats: Sequence[str]) -> list[Path]:
        written = save.text(folder / f"{self.name}.md", self.text)
        return [written, save.numbers(folder / f"{self.name}.csv", self.table)]


class Figure(Protocol):
    """An option of the group `figure`: its settings are its fields."""

    def panels(self, records: Records) -> Sequence[Output]:
        """RecordsError, with what is missing, where these records do not allow the figure."""
        ...
