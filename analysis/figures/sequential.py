"""Revising one solution against sampling others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.estimates import evaluate
from analysis.figures.accuracy import curves
from analysis.figures.figure import Panel
from analysis.papers import revisions
from analysis.runs.load import Records, RecordsError


@dataclass(frozen=True, slots=True)
class SequentialParallel:
    """Sequential against parallel samples, by verifier and by majority (Snell et al., 2024, fig. 6 right).

    strategy, chains: what is sequential, in so many chains. Parallel are samples of which none sees another.
    selections: a pair of lines for each. against: the axes of `accuracy`.
    """

    strategy: str
    chains: int
    selections: Sequence[str]
    against: Sequence[str]

    def panels(self, records: Records) -> Sequence[Panel]:
        table = revisions.grids(records, self.strategy)
        drawn = pd.concat(self._lines(table[table["selection"].isin(self.selections)]), ignore_index=True)
        title = "Sequential and parallel samples: accuracy"
        return curves(evaluate.summary(drawn), "sequential_parallel", title, self.against)

    def _lines(self, table: pd.DataFrame) -> Iterator[pd.DataFrame]:
        kinds = {"sequential": table["chains"] == self.chains, "parallel": table["attempts"] == 1}
        for (name, where), selection in ((kind, one) for kind in kinds.items() for one in self.selections):
            rows = table[where & (table["selection"] == selection)]
            if rows.empty:
                what = f"{self.chains} chains" if name == "sequential" else "independent samples"
                raise RecordsError(f"no {what} of {self.strategy} with the selection {selection}")
            yield rows.assign(method=f"{name}/{selection}")
