"""A verifier's model card: how well its scores agree with the labels of steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.drawing import markdown
from analysis.estimates import quality, scores
from analysis.estimates.calibration import brier
from analysis.figures import first_error
from analysis.figures.figure import Sheet
from analysis.runs.load import Records, RecordsError
from ttcs.records.interval import Interval

MEASURES = {"auc": "AUC", "within": "AUC within questions", "outranked": "wrong siblings above a right step",
            "correlation": "correlation", "brier": "Brier score", "wrong": "first wrong step",
            "right": "right ones left alone", "f1": "F1"}  # fmt: skip
PERCENT = frozenset({"wrong", "right", "f1", "outranked"})
RIGHT = 0.5  # labels from here on are those of a right step, for the AUC


@dataclass(frozen=True, slots=True)
class VerifierTable:
    """Over all labelled steps AUC, within questions and over all, siblings, correlation with the labels, Brier score.

    And the first wrong step.
    """

    def panels(self, records: Records) -> Sequence[Sheet]:
        table = scores.read(records)
        agreement = pd.DataFrame(_agreement(table))
        try:
            found = pd.DataFrame(first_error.found(table))
        except RecordsError:  # as where only whole solutions are labelled, or scored
            found = pd.DataFrame(columns=agreement.columns)
        every = pd.concat([agreement, found], ignore_index=True)
        return [Sheet("verifier_table", _text(every), every)]


def _agreement(table: pd.DataFrame) -> Iterator[dict[str, object]]:
    for name, pairs in scores.steps(table).groupby("verifier", sort=False):
        right = pairs.assign(problem_id=pairs["question"], correct=pairs["label"] >= RIGHT)
        values = {
            "auc": quality.auc_interval(right),
            "within": quality.within(right.assign(group=range(len(right)))),
            "outranked": quality.outranked(scores.siblings(table[table["verifier"] == name], RIGHT)),
            "correlation": scores.correlation(pairs),
            "brier": brier(pairs["question"], pairs["score"], pairs["label"]),
        }
        sizes = {"steps": len(pairs), "n_problems": pairs["question"].nunique()}
        for measure, value in values.items():
            yield {"verifier": name, "measure": measure, **value._asdict(), **sizes}


def _text(table: pd.DataFrame) -> str:
    cells = {(row["verifier"], row["measure"]): _cell(row) for _, row in table.iterrows()}
    sizes = table.dropna(subset=["steps"]).drop_duplicates("verifier").set_index("verifier")["steps"]
    rows = [
        [str(name), f"{int(steps)}", *(cells.get((name, measure), "-") for measure in MEASURES)]
        for name, steps in sizes.items()
    ]
    caption = "Scores against the labels of steps; 95% bootstrap intervals over questions. First wrong step, in %: "
    return f"{caption}threshold chosen on one half of the questions, reported on the other.\n\n" + markdown.grid(
        ["Verifier", "steps", *MEASURES.values()], rows
    ) + "\n"  # fmt: skip


def _cell(row: pd.Series) -> str:
    value = Interval(row["mean"], row["low"], row["high"])
    if pd.isna(value.mean):
        return "-"
    return markdown.percent(value) if row["measure"] in PERCENT else markdown.plain(value)
