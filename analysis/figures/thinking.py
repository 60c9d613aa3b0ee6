"""Accuracy against the length of thinking: what s1 calls test-time scaling."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from analysis.drawing import draw, save
from analysis.figures.figure import Panel
from analysis.papers import published, thinking
from analysis.runs.load import Records, RecordsError

AUTO = "auto"
GREY = "#8a8a8a"


@dataclass(frozen=True, slots=True)
class Thinking:
    """A picture per dataset, in it a line per method through its budgets (Muennighoff et al., 2025, fig. 1).

    strategies: those to draw, as far as they were run. text: of budget forcing, see thinking.evaluations.
    published: whether s1-32B is drawn too, in grey: `auto`, on the datasets that it is published for; true, it must be.
    """

    strategies: Sequence[str]
    text: str | None
    published: str | bool
    resamples: int

    def __post_init__(self) -> None:
        if self.published not in (AUTO, True, False):
            raise RecordsError(f"published={self.published}: auto, true or false")

    def panels(self, records: Records) -> Sequence[Panel]:
        tables = thinking.by_dataset(records, self.strategies, self._table)
        if self.published is True and not set(tables) & set(published.S1_32B):
            there = ", ".join(published.S1_32B)
            raise RecordsError(f"s1-32B is published for {there}, and there are runs on {', '.join(tables)}")
        return [self._panel(name, table) for name, table in tables.items()]

    def _table(self, _: str, records: Records) -> pd.DataFrame:
        return on_axis(thinking.summary(thinking.evaluations(records, self.strategies, self.text), self.resamples))

    def _panel(self, dataset: str, table: pd.DataFrame) -> Panel:
        theirs = published.s1_32b(dataset) if self.published else published.s1_32b("")
        both = pd.concat([table, theirs], ignore_index=True) if len(theirs) else table
        title = f"Accuracy against thinking: {dataset}"
        return Panel(f"thinking_{file(dataset)}", title, both, with_published, save.note(table))


def with_published(ax: Axes, df: pd.DataFrame) -> Axes:
    """Our lines with their bands, and in grey behind them the published points, which have no intervals."""
    theirs = df["method"] == published.METHOD
    if theirs.any():
        at, accuracy = (df.loc[theirs, column].to_numpy() for column in ("thinking", "accuracy"))
        ax.plot(at, accuracy, "o--", color=GREY, markerfacecolor="white", label="Published, s1-32B", zorder=1.5)
    draw.accuracy_vs_thinking(ax, df[~theirs])
    draw.doublings(ax, df["thinking"])
    return draw.percent(ax, df)


def on_axis(table: pd.DataFrame) -> pd.DataFrame:
    """Without the evaluations that have no place on a log2 axis."""
    kept = table[table["thinking"] > 0]
    if len(kept) < len(table):
        warnings.warn(
            "evaluations without thinking tokens have no place on a log2 axis and are not drawn", stacklevel=2
        )
    if kept.empty:
        raise RecordsError("no run thinks at all: there is nothing to draw against thinking tokens")
    return kept


def file(dataset: str) -> str:
    """The name of a dataset as part of that of a file."""
    return re.sub(r"\W+", "_", dataset).strip("_")
