"""A model card's table: how good a policy and its verifier are, from independent samples and a greedy run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.drawing import markdown
from analysis.estimates import estimate, quality
from analysis.figures.figure import Sheet
from analysis.runs import repeats
from analysis.runs.load import Records, RecordsError
from analysis.runs.reduction import rescore
from ttcs.records.interval import Interval, interval

ACCEPTED = "wrong above the median right"
OUTRANKED = "wrong siblings above a right step"


@dataclass(frozen=True, slots=True)
class Quality:
    """Greedy, pass@1, majority@n, pass@n and what the PRM's scores tell, over all problems and by level.

    The AUC of the last step's score over all samples, that within problems over their different answers, the share of
    wrong samples that score above the median right one, and that of wrong steps that score above a right sibling.
    """

    def panels(self, records: Records) -> Sequence[Sheet]:
        samples, greedy = _largest(records, "best_of_n"), _largest(records, "greedy").problems
        n = int(samples.runs["n"].iloc[0])
        curve = estimate.curve(samples, at=sorted({1, n}))
        scored = rescore(samples.candidates, "last")
        steps = quality.steps(samples.candidates)
        rows = []
        for name, ids in _groups(samples.problems):
            finals = scored[scored["problem_id"].isin(ids)]
            here = curve[curve["problem_id"].isin(ids)].set_index(["selection", "n"])["correct"]
            alone = greedy[greedy["problem_id"].isin(ids)]["correct"].astype("float64")
            means = {
                "greedy": interval(list(alone)),
                "pass@1": interval(list(here["pass", 1])),
                f"majority@{n}": interval(list(here["majority", n])),
                f"pass@{n}": interval(list(here["pass", n])),
                "AUC of the PRM's last score": quality.auc_interval(finals),
                "AUC within problems": quality.within(finals),
                ACCEPTED: quality.accepted(finals),
                OUTRANKED: quality.outranked(steps[steps["problem_id"].isin(ids)]),
            }
            rows += [(name, len(ids), measure, *mean) for measure, mean in means.items()]
        table = pd.DataFrame(rows, columns=["problems", "n_problems", "measure", "mean", "low", "high"])
        return [Sheet("quality", _text(table), table)]


def _groups(problems: pd.DataFrame) -> list[tuple[str, list[str]]]:
    """All problems, and those of each level."""
    levels = problems.set_index("problem_id")["level"]
    return [("all", list(levels.index)), *((f"level {k}", list(group.index)) for k, group in levels.groupby(levels))]


def _largest(records: Records, strategy: str) -> Records:
    runs = records.runs[(records.runs["strategy"] == strategy) & records.runs["finished"]]
    if runs.empty:
        raise RecordsError(f"no finished run of {strategy}")
    largest = runs.sort_values(["n", "problems"], kind="stable").tail(1)
    repeats.say(runs, largest, ["seed", "settings"])
    return records.of(largest["run"].iloc[0])


def _text(table: pd.DataFrame) -> str:
    measures = list(table["measure"].unique())
    rows = [
        [str(name), str(group["n_problems"].iloc[0]), *(_cell(row) for _, row in group.iterrows())]
        for name, group in table.groupby("problems", sort=False)
    ]
    return markdown.grid(["", "problems", *measures], rows) + "\n"


def _cell(row: pd.Series) -> str:
    value = Interval(row["mean"], row["low"], row["high"])
    if pd.isna(value.mean):
        return "-"
    return markdown.plain(value) if row["measure"].startswith("AUC") else markdown.percent(value)
