"""Which stopping rule: accuracy against tokens of votes that stop when they have enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.drawing import markdown, save
from analysis.drawing.frontier import frontier as drawing
from analysis.estimates.frontier import FIXED, Rules, Votes, frontier
from analysis.figures.figure import Output, Panel, Sheet
from analysis.runs.load import Records
from ttcs.core import Selection
from ttcs.records.interval import Interval

NOTE = "bars: paired difference from the vote of all n"


@dataclass(frozen=True, slots=True)
class Frontier:
    """A curve for each rule over its settings beside votes of a fixed n (Aggarwal et al., 2023; Li et al., 2024), and a
    table of what each point costs: tokens, those at equal accuracy, and samples one after another.

    rules: name of a curve -> its points. selection, n, orders, ahead: see `Votes`.
    """

    rules: Rules
    selection: Selection
    n: int | None
    orders: int
    ahead: int | None

    def panels(self, records: Records) -> Sequence[Output]:
        votes = Votes(self.selection, self.n, self.orders, self.ahead)
        found = frontier(votes.estimates(records, self.rules))
        table = found.assign(label=[_label(name) for name in found["method"]])
        title = f"Votes that stop when they have enough, at most {table['samples'].max():.0f} samples"
        panel = Panel("frontier", title, table, drawing, f"{save.note(table)}; {NOTE}")
        return [panel, Sheet("frontier_tokens", self._text(table), table)]

    def _text(self, table: pd.DataFrame) -> str:
        header = ["Rule", "Setting", "Accuracy", "minus all n", "Samples", "Tokens", "of all n", "at equal accuracy"]
        header += ["Rounds", "Latency", "Speculated"]
        full = table[table["method"] == FIXED].tail(1)
        rows = [_cells(row) for _, row in pd.concat([full, table[table["method"] != FIXED]]).iterrows()]
        ahead = "all" if self.ahead is None else str(self.ahead)
        caption = (
            f"Accuracy (%), its paired difference from the vote of all n (points), and per problem: samples, tokens, "
            f"these over those of all n and over those of a vote of a fixed n that is as accurate (%), rounds of "
            f"samples side by side, tokens one after another, and tokens that were speculated; {ahead} samples run "
            f"ahead, {self.orders} orders. 95% bootstrap intervals over {table['n_problems'].max()} problems."
        )
        return f"{caption}\n\n{markdown.grid(header, rows)}\n"


def _label(name: str) -> str:
    return name[:1].upper() + name[1:].replace("_", " ")


def _cells(row: pd.Series) -> list[str]:
    return [
        str(row["label"]),
        str(row["setting"]),
        markdown.percent(Interval(row["accuracy"], row["low"], row["high"])),
        markdown.bracketed(Interval(row["difference"], row["difference_low"], row["difference_high"]), sign="+"),
        f"{row['samples']:.1f}",
        markdown.number(row["tokens"]),
        markdown.percent(Interval(row["of_all"], row["of_all_low"], row["of_all_high"])),
        "" if row["method"] == FIXED else markdown.bracketed(Interval(*row[["share", "share_low", "share_high"]])),
        f"{row['rounds']:.1f}",
        markdown.number(row["latency"]),
        markdown.number(row["speculated"]),
    ]
