"""What revisions mend and what they break."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analysis.drawing import markdown
from analysis.drawing.style import look
from analysis.figures.figure import Panel
from analysis.papers import revisions
from analysis.runs.load import Records, RecordsError
from ttcs.records.interval import Interval

COLOURS = dict(zip(revisions.FLIPS, ("#D55E00", "#009E73"), strict=True))


@dataclass(frozen=True, slots=True)
class Flips:
    """Rates of correct to wrong and of wrong to correct between an attempt and its revision, by step and in all.

    Snell et al. (2024, section 6.1) report about 38 % of correct answers turned wrong. strategy: whose chains.
    """

    strategy: str

    def panels(self, records: Records) -> Sequence[Panel]:
        pairs = pd.concat([revisions.revised(run) for run in revisions.longest(records, self.strategy)])
        if pairs.empty:
            raise RecordsError(f"the runs of {self.strategy} hold no revision: their chains are one attempt long")
        table = revisions.flips(pairs)
        title = f"{look(self.strategy).label}: answers turned around"
        note = (
            f"{pairs['problem_id'].nunique()} problems, {len(pairs):,} revisions; 95% bootstrap intervals over problems"
        )
        return [Panel("flips", title, table, rates, note)]


def rates(ax: Axes, df: pd.DataFrame) -> Axes:
    """A line with its band for each kind, and its rate over all steps across."""
    for kind, colour in COLOURS.items():
        rows = df[df["kind"] == kind]
        by_step = rows[rows["attempt"].notna()]
        at, rate, low, high = (by_step[name].to_numpy(np.float64) for name in ("attempt", "rate", "low", "high"))
        total = Interval(*(float(x) for x in rows.loc[rows["attempt"].isna(), ["rate", "low", "high"]].iloc[0]))
        label = f"{kind.capitalize()}:\n{markdown.percent(total)} % in all"
        ax.plot(at, 100 * rate, "o-", color=colour, markersize=4, label=label)
        ax.fill_between(at, 100 * low, 100 * high, color=colour, alpha=0.13, linewidth=0)
        ax.axhline(100 * total.mean, color=colour, linewidth=0.9, linestyle=":")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="Attempt", ylabel="Share of revisions (%)", ylim=(0, None))
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax
