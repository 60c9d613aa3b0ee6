"""Which verifiers find the first wrong step."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from analysis.drawing.save import span
from analysis.estimates import scores
from analysis.figures.figure import Panel
from analysis.papers.first_error import first_error
from analysis.runs.load import Records, RecordsError

MEASURES = {
    "wrong": ("First wrong step found", "#D55E00"),
    "right": ("Right solution left alone", "#009E73"),
    "f1": ("F1", "#332288"),
}


@dataclass(frozen=True, slots=True)
class FirstWrongStep:
    """Bars for each verifier: the first wrong step found, right solutions left alone, F1 (Zheng et al., 2024).

    Read from the scores of labelled solutions, not from runs (docs/verifiers.md).
    """

    def panels(self, records: Records) -> Sequence[Panel]:
        table = pd.DataFrame(list(found(scores.read(records))))
        sizes = table.drop_duplicates("verifier")
        drawn = f"{span(sizes['solutions'])} solutions to {span(sizes['n_problems'])} questions"
        note = f"{drawn}, threshold chosen on others; 95% bootstrap intervals over questions"
        return [Panel("first_error", "The first wrong step", table, bars, note)]


def found(table: pd.DataFrame) -> Iterator[dict[str, object]]:
    """A row for each verifier and measure; a warning for one that does not score every step."""
    whose = list(table.groupby("verifier", sort=False))
    refused: list[str] = []
    for name, solutions in whose:
        try:
            one = first_error(solutions, str(name))
        except RecordsError as error:
            refused.append(str(error))
            continue
        shared = {"threshold": one.threshold, "solutions": one.solutions, "n_problems": one.questions}
        for measure, value in (("wrong", one.wrong), ("right", one.right), ("f1", one.f1)):
            yield {"verifier": name, "measure": measure, **value._asdict(), **shared}
    if len(refused) == len(whose):
        raise RecordsError(refused[0])
    for reason in refused:
        warnings.warn(f"no first wrong step of {reason}", stacklevel=2)


def bars(ax: Axes, df: pd.DataFrame) -> Axes:
    """A group for each verifier."""
    names = list(dict.fromkeys(df["verifier"]))
    for place, (measure, (label, colour)) in enumerate(MEASURES.items()):
        rows = df[df["measure"] == measure].set_index("verifier").loc[names]
        at = np.arange(len(names)) * (len(MEASURES) + 1) + place
        ax.bar(at, rows["mean"], width=0.92, color=colour, label=label, zorder=2)
        ax.vlines(at, rows["low"], rows["high"], color="#333333", linewidth=0.9, zorder=3)
    middle = (len(MEASURES) - 1) / 2
    thresholds = df.drop_duplicates("verifier").set_index("verifier")["threshold"]
    words = [f"{name}\n(threshold {thresholds[name]:.2f})" for name in names]
    ax.set_xticks(np.arange(len(names)) * (len(MEASURES) + 1) + middle, words)
    ax.tick_params(axis="x", length=0)
    ax.grid(False, axis="x")
    ax.set_ylim(0, 1.02)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}"))
    ax.set_ylabel("Share (%)")
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax
