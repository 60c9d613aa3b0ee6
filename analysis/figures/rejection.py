"""Sampling until the thinking is short enough, beside forcing it to be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from analysis.drawing import draw
from analysis.drawing.style import looks, ordered
from analysis.figures.figure import Draw, Panel
from analysis.figures.thinking import file
from analysis.papers import thinking
from analysis.papers.budgets import FORCING, REJECTION, waited
from analysis.papers.thinking import Evaluation
from analysis.runs.load import Records, RecordsError
from ttcs.records.interval import interval


@dataclass(frozen=True, slots=True)
class Rejection:
    """Accuracy, thinking tokens and tries against the budget (Muennighoff et al., 2025, fig. 6).

    Beside rejection sampling stands budget forcing that never waits, at its budgets; the tries are those of rejection
    sampling alone. Where every try was rejected the problem is wrong, and its last try stands for its thinking.
    """

    resamples: int

    def panels(self, records: Records) -> Sequence[Panel]:
        thinking.of(records, [REJECTION])
        found = thinking.by_dataset(records, [REJECTION, FORCING], self._known)
        return [panel for name, known in found.items() for panel in self._panels(name, known)]

    def _known(self, dataset: str, records: Records) -> list[Evaluation]:
        found = [one for one in thinking.evaluations(records, [REJECTION, FORCING]) if _bounded(one)]
        if all(one.strategy != REJECTION for one in found):
            raise RecordsError(f"no run of {REJECTION} on {dataset} with a budget above 0 thinking tokens")
        return found

    def _panels(self, dataset: str, known: Sequence[Evaluation]) -> Iterator[Panel]:
        for measure, (column, title, function) in _measures().items():
            table = self._table(known, column)
            drawn = table[table["strategy"] == REJECTION] if measure == "tries" else table
            yield Panel(f"rejection_{measure}_{file(dataset)}", f"{title}: {dataset}", drawn, function)

    def _table(self, known: Sequence[Evaluation], column: str) -> pd.DataFrame:
        """method, strategy, budget (tokens), value, low, high, n_problems, seeds."""
        rows = []
        for one in known:
            values = one.per_problem(column)
            ends = dict(zip(("value", "low", "high"), interval(list(values), self.resamples), strict=True))
            sizes = {"n_problems": len(values), "seeds": one.table["seed"].nunique()}
            named = {"method": one.method, "strategy": one.strategy, "budget": one.fields["thinking"]}
            rows.append({**named, **ends, **sizes})
        return pd.DataFrame(rows)


def _measures() -> dict[str, tuple[str, str, Draw]]:
    """Name -> column of an evaluation, title, and how it is drawn."""
    return {
        "accuracy": ("correct", "Accuracy by budget", accuracy),
        "thinking": ("thinking", "Thinking that was kept, by budget", tokens),
        "tries": ("tries", "Tries by budget", tries),
    }


def _bounded(one: Evaluation) -> bool:
    """Whether its thinking has an upper limit and nothing else."""
    return bool(one.fields.get("thinking")) and not waited(one.fields)


def accuracy(ax: Axes, df: pd.DataFrame) -> Axes:
    return draw.percent(_against_budget(ax, df), df.rename(columns={"value": "accuracy"}))


def tokens(ax: Axes, df: pd.DataFrame) -> Axes:
    """Both axes in doublings: a method that uses its budget up lies on the diagonal."""
    _against_budget(ax, df)
    ax.set_yscale("log", base=2)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:g}"))
    ax.set_ylabel("Thinking tokens of what was kept")
    return ax


def tries(ax: Axes, df: pd.DataFrame) -> Axes:
    """Log y axis: close to 1 / P(the thinking is short enough), up to the cap."""
    _against_budget(ax, df)
    ax.set_yscale("log")
    ax.set_ylim(bottom=min(0.9, float(df["low"].min())))
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_ylabel("Tries per problem")
    return ax


def _against_budget(ax: Axes, df: pd.DataFrame) -> Axes:
    for name, style in looks(ordered(df["method"].unique())).items():
        rows = df[df["method"] == name].sort_values("budget")
        at, mean, low, high = (rows[column].to_numpy() for column in ("budget", "value", "low", "high"))
        ax.plot(at, mean, color=style.colour, marker=style.marker, linestyle=style.line, markersize=style.size,
                markeredgecolor="white", markeredgewidth=0.7, label=style.label, zorder=3)  # fmt: skip
        ax.fill_between(at, low, high, color=style.colour, alpha=0.13, linewidth=0)
    draw.doublings(ax, df["budget"])
    ax.set_xlabel("Budget: thinking tokens at most")
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax
