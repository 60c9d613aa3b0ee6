"""How to share out n between revising and sampling anew."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from analysis.drawing import draw
from analysis.drawing.equal_flops import colours
from analysis.estimates import evaluate
from analysis.estimates.bins import bins
from analysis.figures.figure import Panel
from analysis.figures.levels import LEAST as PROBLEMS
from analysis.papers import revisions
from analysis.runs.load import Records, RecordsError

LEAST = 3  # ratios that make a line


@dataclass(frozen=True, slots=True)
class Ratio:
    """Accuracy against the ratio of sequential to parallel samples (Snell et al., 2024, fig. 7).

    A line for each n (left), and for each bin of difficulty at one n (right). strategy: whose chains. selection: over
    all attempts. at: the n of the lines (None: those with three ratios and more). n: of the bins (None: the largest
    line). difficulty, bins, own: as in `analysis.estimates.bins`.
    """

    strategy: str
    selection: str
    at: Sequence[int] | None
    n: int | None
    difficulty: str
    bins: int
    own: bool

    def panels(self, records: Records) -> Sequence[Panel]:
        table = revisions.grids(records, self.strategy)
        table = table[table["selection"] == self.selection]
        if table.empty:
            raise RecordsError(f"no run of {self.strategy} with the selection {self.selection}")
        sizes = self._sizes(table)
        found = summary(table[table["n"].isin(sizes)])
        title = "Accuracy by sequential to parallel ratio"
        return [Panel("ratio", title, found, by_n), *self._binned(records, table, self.n or max(sizes))]

    def _sizes(self, table: pd.DataFrame) -> list[int]:
        counts = table.groupby("n")["chains"].nunique()
        enough = [int(str(n)) for n, count in counts.items() if count >= LEAST]
        missing = [n for n in [*(self.at or ()), *[self.n] * (self.n is not None)] if n not in enough]
        if missing or not enough:
            raise RecordsError(
                f"n = {', '.join(map(str, missing)) or 'any'} has fewer than {LEAST} ratios on record: "
                f"runs of {self.strategy} with other numbers of chains are missing"
            )
        return list(self.at or enough)

    def _binned(self, records: Records, table: pd.DataFrame, n: int) -> Iterator[Panel]:
        """None, with a warning, where there are no bins: the lines over all problems need none."""
        here = table[table["n"] == n]
        ids, seeds = sorted(here["problem_id"].unique()), sorted(int(seed) for seed in here["seed"].unique())
        try:
            cut = bins(records, ids, seeds, self.difficulty, self.bins, own=self.own).table
            _enough(cut)
        except RecordsError as error:
            warnings.warn(f"no ratio_by_bin: {error}", stacklevel=2)
            return
        found = summary(here.merge(cut[["seed", "problem_id", "bin"]], on=["seed", "problem_id"]), ["bin"])
        kind = f"{self.difficulty} bins{' from the same samples' * self.own}"
        yield Panel("ratio_by_bin", f"The ratio by difficulty at N = {n} ({kind})", found.assign(n=n), by_bin)


def _enough(cut: pd.DataFrame) -> None:
    """RecordsError where a bin holds too few problems for an interval over them."""
    for bin_, count in cut.groupby("bin")["problem_id"].nunique().items():
        if count < PROBLEMS:
            raise RecordsError(f"bin {bin_} holds {count} problems, fewer than {PROBLEMS}: take more, or fewer bins")


def summary(table: pd.DataFrame, within: Sequence[str] = ()) -> pd.DataFrame:
    """As evaluate.summary, with attempts, chains and their ratio."""
    found = evaluate.summary(table, within=[*within, "attempts", "chains"])
    return found.assign(ratio=found["attempts"] / found["chains"]).sort_values(
        ["n", *within, "ratio"], ignore_index=True
    )


def by_n(ax: Axes, df: pd.DataFrame) -> Axes:
    """The largest n first in the legend, as on the page."""
    _lines(ax, df, "n", "N = {}").legend(loc="center left", bbox_to_anchor=(1.01, 0.5), reverse=True)
    return ax


def by_bin(ax: Axes, df: pd.DataFrame) -> Axes:
    """The easiest first, as on the page."""
    _lines(ax, df, "bin", "Bin {}").legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax


def _lines(ax: Axes, df: pd.DataFrame, of: str, label: str) -> Axes:
    """A line with its band for each value of the column `of`, log2 axis."""
    for value, colour in colours(sorted(df[of].unique())).items():
        rows = df[df[of] == value].sort_values("ratio")
        at, mean, low, high = ([float(x) for x in rows[column]] for column in ("ratio", "accuracy", "low", "high"))
        ax.plot(at, mean, "o-", color=colour, markersize=4.5, label=label.format(value), zorder=3)
        ax.fill_between(at, low, high, color=colour, alpha=0.13, linewidth=0)
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_locator(FixedLocator(sorted(df["ratio"].unique())[:: 1 + df["ratio"].nunique() // 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:g}" if ratio >= 1 else f"1/{1 / ratio:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("Sequential to parallel samples (attempts per chain / chains)")
    return draw.percent(ax, df)
