"""Compute-optimal revisions: the best ratio of sequential to parallel samples for each bin of difficulty and n."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.figures.figure import Output
from analysis.figures.optimal import ComputeOptimal
from analysis.papers import revisions
from analysis.runs.load import Records, RecordsError

PARALLEL = {"weighted": "weighted", "majority": "majority"}  # selection -> the name of best-of-N in all figures


@dataclass(frozen=True, slots=True)
class OptimalRatio:
    """Accuracy with the ratio chosen per bin, cross-fitted, against parallel best-of-N (Snell et al., 2024, fig. 8).

    strategy: whose chains; its methods are named attempts:chains, and ratio 1:n is best-of-N itself. selection: over
    all attempts. optimal: how the choice is made and drawn.
    """

    strategy: str
    selection: str
    optimal: ComputeOptimal

    def panels(self, records: Records) -> Sequence[Output]:
        table = revisions.grids(records, self.strategy)
        sequential = table[(table["attempts"] > 1) & (table["selection"] == self.selection)]
        parallel = table[(table["attempts"] == 1) & table["selection"].isin(PARALLEL)]
        if sequential.empty or parallel.empty:
            raise RecordsError(f"no chains of {self.strategy} with the selection {self.selection} beside samples")
        ratio = sequential["attempts"].astype(str) + ":" + sequential["chains"].astype(str)
        named = [sequential.assign(method=f"{self.strategy} (" + ratio + ")"),
                 parallel.assign(method=parallel["selection"].map(PARALLEL))]  # fmt: skip
        return self.optimal.of(records, pd.concat(named, ignore_index=True))
