"""The reliability diagram of a verifier's final scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MultipleLocator

from analysis.drawing import markdown
from analysis.drawing.save import span
from analysis.drawing.style import looks
from analysis.estimates import calibration, evaluate
from analysis.figures.figure import Panel
from analysis.runs import repeats, variants
from analysis.runs.load import Records, RecordsError
from analysis.runs.reduction import rescore
from ttcs.records.interval import Interval

GROUND = 4  # times the height of the largest count, which leaves the lines their room


@dataclass(frozen=True, slots=True)
class Calibration:
    """Share of right solutions against the final score, for each PRM, with counts and the Brier score.

    strategy: whose candidates; those of best_of_n are as the policy draws them, a search picks its own. bins: of the
    score, equally wide. Of each seed the largest run is read, of its candidates those with an answer.
    """

    strategy: str
    bins: int

    def panels(self, records: Records) -> Sequence[Panel]:
        known = evaluate.finished(records)
        evaluate.same_setup(known.runs, apart="prm")
        table = pd.concat([self._rows(name, rows) for name, rows in self._answers(known)], ignore_index=True)
        title = "Calibration of the final score"
        note = (
            f"{span(table['problems'])} problems, candidates of {self.strategy}; 95% bootstrap intervals over problems"
        )
        return [Panel("calibration", title, table, reliability, note)]

    def _answers(self, records: Records) -> Iterator[tuple[str, pd.DataFrame]]:
        runs = records.runs[records.runs["strategy"] == self.strategy]
        several = variants.by(records.only(runs["run"]), "prm")
        any_scored = False
        for name, one in several.items():
            largest = repeats.first(one.runs, ["seed"])
            repeats.say(one.runs, largest, ["seed", "settings"])
            scored = rescore(one.only(largest["run"]).candidates, "last")
            answers = scored[scored["group"].notna()].dropna(subset=["score", "correct"])
            if len(answers):
                any_scored = True
                yield name, answers
        if not any_scored:
            raise RecordsError(f"no run of {self.strategy} with scores and references, which calibration compares")

    def _rows(self, name: str, answers: pd.DataFrame) -> pd.DataFrame:
        score = calibration.brier(answers["problem_id"], answers["score"], answers["correct"])
        whole = {"brier": score.mean, "brier_low": score.low, "brier_high": score.high}
        bins = calibration.reliability(answers, self.bins)
        return bins.assign(method=name, problems=answers["problem_id"].nunique(), width=1 / self.bins, **whole)


def reliability(ax: Axes, df: pd.DataFrame) -> Axes:
    """A line for each verifier, the diagonal, and at the bottom how many candidates each point stands for."""
    names = list(dict.fromkeys(df["method"]))
    counts = ax.twinx()
    styles = looks([name.translate(str.maketrans("()", "[]")) for name in names]).values()
    for place, (name, style) in enumerate(zip(names, styles, strict=True)):
        rows = df[df["method"] == name]
        brier = Interval(*(float(rows[column].iloc[0]) for column in ("brier", "brier_low", "brier_high")))
        label = f"{name}\nBrier {markdown.plain(brier)}"
        ax.plot(rows["score"], rows["accuracy"], color=style.colour, marker=style.marker, label=label, zorder=3)
        ax.vlines(rows["score"], rows["low"], rows["high"], color=style.colour, linewidth=1.3, alpha=0.75, zorder=2)
        width = float(rows["width"].iloc[0]) / len(names)
        at = (rows["bin"] * len(names) + place + 0.5).to_numpy(np.float64) * width
        counts.bar(at, rows["count"], width=0.9 * width, color=style.colour, alpha=0.25, linewidth=0)
    ax.plot([0, 1], [0, 1], color="#888888", linewidth=1, linestyle=":", label="As good as it says")
    counts.set(ylim=(0, GROUND * float(df["count"].max())), ylabel="Candidates (bars)")
    counts.grid(False)
    counts.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
    ax.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="Final score of the verifier", ylabel="Right solutions (%)")
    ax.xaxis.set_major_locator(MultipleLocator(0.2))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}"))
    ax.legend(loc="center left", bbox_to_anchor=(1.2, 0.5))
    return ax
