"""One pool of samples under every reduction: the recorded step scores reduced anew, no model run again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.drawing.style import look
from analysis.estimates import evaluate
from analysis.estimates.pool import INDEPENDENT
from analysis.figures.accuracy import curves
from analysis.figures.figure import Panel
from analysis.runs.load import Records, RecordsError
from analysis.runs.reduction import rescore


@dataclass(frozen=True, slots=True)
class Reductions:
    """Best-of-N by the last, smallest, multiplied and mean step score (Snell et al., 2024, appendix E, fig. 13).

    selection: weighted or best. A search that was steered by one reduction says nothing of another, so only
    independent samples are read.
    """

    selection: str
    reductions: Sequence[str]
    against: Sequence[str]

    def panels(self, records: Records) -> Sequence[Panel]:
        runs = records.runs[records.runs["strategy"].isin(INDEPENDENT)]
        if runs.empty:
            raise RecordsError("no run of best_of_n, whose samples could be scored by other reductions")
        samples = records.only(runs["run"])
        if samples.candidates["score"].isna().all():
            raise RecordsError("no run of best_of_n was scored, so there is nothing to reduce")
        table = pd.concat([self._reduced(samples, reduction) for reduction in self.reductions])
        return curves(table, "reductions", f"{look(self.selection).label} by reduction: accuracy", self.against)

    def _reduced(self, samples: Records, reduction: str) -> pd.DataFrame:
        runs = samples.runs.assign(reduction=reduction, settings=f"reduction={reduction}")
        rescored = Records(runs, samples.problems, rescore(samples.candidates, reduction))
        estimates = evaluate.chosen(evaluate.evaluate(rescored), [self.selection])
        return evaluate.summary(estimates.assign(method=reduction))
