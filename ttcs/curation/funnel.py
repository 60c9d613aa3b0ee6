"""How many rows each stage was given, how many it dropped, and why."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from ttcs.running.progress import console

HEADER = "stage", "reason", "rows", "left"
SHOWN = 12  # reasons of a stage in a table


@dataclass(frozen=True, slots=True)
class Funnel:
    """rows: of the sources. dropped: stage -> reason -> rows, for every stage, in the order they ran in.

    Reasons that name a single row ("as source/id") count as one, by their first word.
    """

    rows: int
    dropped: dict[str, Counter[str]]

    @classmethod
    def of(cls, rows: int, stages: Sequence[str], drops: Iterable[tuple[str, str]]) -> Funnel:
        dropped = {stage: Counter[str]() for stage in stages}
        for stage, reason in drops:
            dropped[stage]["duplicate" if reason.startswith("as ") else reason] += 1
        return cls(rows, dropped)

    @property
    def lines(self) -> list[tuple[str, str, int, int]]:
        """Stage, reason, rows dropped for it, rows left after the stage; the reason of a whole stage is empty."""
        found, left = [("sources", "", 0, self.rows)], self.rows
        for stage, reasons in self.dropped.items():
            left -= reasons.total()
            found.append((stage, "", reasons.total(), left))
            found += [(stage, reason, count, left) for reason, count in sorted(reasons.items(), key=_most)]
        return found

    def to_csv(self) -> str:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([HEADER, *self.lines])
        return text.getvalue()

    @classmethod
    def read(cls, path: Path) -> Funnel:
        with path.open(encoding="utf-8", newline="") as file:
            first, *lines = csv.DictReader(file)
        dropped = {line["stage"]: Counter[str]() for line in lines}
        for line in lines:
            if line["reason"]:
                dropped[line["stage"]][line["reason"]] = int(line["rows"])
        return cls(int(first["left"]), dropped)

    def to_markdown(self) -> str:
        rows = [f"| {stage if not reason else ''} | {reason} | {count:,} | {'' if reason else f'{left:,}'} |"
                for stage, reason, count, left in self._shown()]  # fmt: skip
        return "\n".join(["| stage | reason | dropped | left |", "|---|---|---:|---:|", *rows])

    def show(self, title: str) -> None:
        table = Table("stage", "reason", title=title, title_justify="left")
        table.add_column("dropped", justify="right")
        table.add_column("left", justify="right")
        for stage, reason, count, left in self._shown():
            table.add_row("" if reason else stage, reason, f"{count:,}", "" if reason else f"{left:,}")
        console.print(table)

    def _shown(self) -> list[tuple[str, str, int, int]]:
        """The reasons of a stage that has many are cut short."""
        found: list[tuple[str, str, int, int]] = []
        for stage in ("sources", *self.dropped):
            own = [line for line in self.lines if line[0] == stage]
            found += own[: SHOWN + 1]
            if more := own[SHOWN + 1 :]:
                found.append((stage, f"{len(more)} more reasons", sum(line[2] for line in more), more[0][3]))
        return found


def _most(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]
