"""Many runs -> Markdown: accuracy with interval, tokens and seconds of every method at every N."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.drawing import markdown
from analysis.drawing.style import look, ordered
from analysis.estimates import evaluate
from analysis.figures.figure import Sheet
from analysis.runs.load import Records, RecordsError
from ttcs.records.interval import Interval


@dataclass(frozen=True, slots=True)
class Table:
    """The tables of all runs. at: the columns, of which those that no run has are left out.

    ends: intervals as 53.0 (48.9-57.1) instead of 53.0 ± 4.1.
    """

    at: Sequence[int]
    ends: bool

    def panels(self, records: Records) -> Sequence[Sheet]:
        table = evaluate.summary(evaluate.chosen(evaluate.evaluate(records), None))
        if not table["n"].isin(self.at).any():
            have = ", ".join(str(n) for n in sorted(table["n"].unique()))
            raise RecordsError(f"no run has an N of {', '.join(map(str, self.at))}; there are {have}")
        return [Sheet("table", self._text(table), table)]

    def _text(self, table: pd.DataFrame) -> str:
        problems, seeds = table["n_problems"].max(), table["seeds"]
        counted = f"{seeds.min()}" if seeds.min() == seeds.max() else f"{seeds.min()}-{seeds.max()}"
        caption = f"{problems} problems, seeds per cell: {counted}; 95% bootstrap intervals over problems."
        parts = [
            f"Accuracy (%). {caption}",
            self._grid(table, self._accuracy),
            "Decoded tokens per problem.",
            self._grid(table, lambda row: markdown.number(row["tokens"])),
            "Seconds per problem (~: share of a larger run's).",
            self._grid(table, lambda row: "~" * row["derived"] + markdown.number(row["seconds"])),
        ]
        return "\n\n".join(parts) + "\n"

    def _grid(self, table: pd.DataFrame, cell: Callable[[pd.Series], str]) -> str:
        """Rows methods, columns N, of those that any run has; what one does not say stays empty."""
        cells = {(row["method"], int(row["n"])): cell(row) for _, row in table.iterrows()}
        at = [n for n in self.at if (table["n"] == n).any()]
        names = ordered(table["method"].unique())
        rows = [[look(name).label, *(cells.get((name, n), "") for n in at)] for name in names]
        return markdown.grid(["Method", *(f"N = {n}" for n in at)], [row for row in rows if any(row[1:])])

    def _accuracy(self, row: pd.Series) -> str:
        return markdown.percent(Interval(row["accuracy"], row["low"], row["high"]), self.ends)
