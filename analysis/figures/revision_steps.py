"""How good each attempt of a chain is by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.drawing import draw
from analysis.drawing.style import look
from analysis.estimates import bootstrap
from analysis.figures.figure import Panel
from analysis.papers import revisions
from analysis.runs.load import Records


@dataclass(frozen=True, slots=True)
class RevisionSteps:
    """pass@1 at each revision step (Snell et al., 2024, fig. 6 left): mean over the chains and seeds of a problem.

    And what each attempt is ahead of the first, paired by problem.

    strategy: whose chains; of every seed the run is read that has the most of them with such an attempt.
    """

    strategy: str

    def panels(self, records: Records) -> Sequence[Panel]:
        found = revisions.steps(records, self.strategy)
        counts = found.groupby("attempt").agg(seeds=("seed", "nunique"), chains=("chains", "max")).reset_index()
        table = bootstrap.accuracy(found, ["attempt"]).merge(counts, on="attempt")
        label = look(self.strategy).label
        return [
            Panel("revision_steps", f"{label}: pass@1 at each step", _sorted(table), steps),
            Panel("revision_gain", f"{label}: gain over the first attempt", _sorted(gains(found, counts)), gain),
        ]


def gains(found: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """Columns attempt, gain, low, high, n_problems, and those of counts, of every attempt but the first."""
    first = found[found["attempt"] == 1]
    rows = [
        (attempt, *bootstrap.difference(own, first), own["problem_id"].nunique())
        for attempt, own in found[found["attempt"] > 1].groupby("attempt")
    ]
    return pd.DataFrame(rows, columns=["attempt", "gain", "low", "high", "n_problems"]).merge(counts, on="attempt")


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values("attempt", ignore_index=True)


def gain(ax: Axes, df: pd.DataFrame) -> Axes:
    """A line with its band, and nothing gained across; in points."""
    at, mean, low, high = ([float(value) for value in df[column]] for column in ("attempt", "gain", "low", "high"))
    points = [[100 * value for value in values] for values in (mean, low, high)]
    ax.plot(at, points[0], "o-", color="#0072B2", markersize=4)
    ax.fill_between(at, points[1], points[2], color="#0072B2", alpha=0.13, linewidth=0)
    ax.axhline(0, color="#777777", linewidth=0.9, linestyle=":")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("Attempt")
    ax.set_ylabel("Gain (points)")
    return ax


def steps(ax: Axes, df: pd.DataFrame) -> Axes:
    """A line with its band, and the first attempt across."""
    at, mean, low, high = ([float(value) for value in df[column]] for column in ("attempt", "accuracy", "low", "high"))
    ax.plot(at, mean, "o-", color="#0072B2", markersize=4, label="Each attempt by itself")
    ax.fill_between(at, low, high, color="#0072B2", alpha=0.13, linewidth=0)
    ax.axhline(mean[0], color="#777777", linewidth=0.9, linestyle=":", label="The first attempt")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("Attempt (1 = before any revision)")
    ax.legend(loc="lower right")
    return draw.percent(ax, df)
