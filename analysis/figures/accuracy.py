"""Accuracy of every method against what it costs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.drawing import draw
from analysis.drawing.save import lines_note
from analysis.estimates import evaluate
from analysis.figures.figure import Draw, Panel
from analysis.runs.load import Records, RecordsError

AXES: dict[str, tuple[str, Draw]] = {
    "n": ("N", draw.accuracy_vs_n),
    "tokens": ("decoded tokens", draw.accuracy_vs_tokens),
    "flops": ("FLOPs", draw.accuracy_vs_flops),
    "seconds": ("seconds", draw.accuracy_vs_seconds),
    "generations": ("generations", draw.accuracy_vs_generations),
}


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Accuracy against n, generations, decoded tokens, FLOPs and seconds (Snell et al., 2024, fig. 3; Beeching et al.).

    name: of the files, `<name>_vs_<axis>`. against: the axes. methods: those to draw, all of which must be there
    (None: every one but pass@N); a method stands for all its variants.
    """

    name: str
    title: str
    against: Sequence[str]
    methods: Sequence[str] | None

    def __post_init__(self) -> None:
        if unknown := [axis for axis in self.against if axis not in AXES]:
            raise RecordsError(f"against={', '.join(unknown)}: the axes are {', '.join(AXES)}")

    def panels(self, records: Records) -> Sequence[Panel]:
        estimates = evaluate.chosen(evaluate.evaluate(records), self.methods)
        return curves(evaluate.summary(estimates), self.name, self.title, self.against)


def curves(table: pd.DataFrame, name: str, title: str, against: Sequence[str]) -> list[Panel]:
    """A panel for each axis that the records have numbers for."""
    found = []
    for axis in against:
        words, function = AXES[axis]
        rows = table[table[axis].notna() & (table[axis] > 0)]
        if len(rows):
            found.append(Panel(f"{name}_vs_{axis}", f"{title} against {words}", rows, function, lines_note(rows)))
        else:
            warnings.warn(f"no {name}_vs_{axis}: these records have no {words}", stacklevel=2)
    return found
