"""Chains of revisions under several verifiers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.drawing.style import look
from analysis.estimates import evaluate
from analysis.figures.accuracy import curves
from analysis.figures.figure import Panel
from analysis.papers import revisions
from analysis.runs import variants
from analysis.runs.load import Records, RecordsError


@dataclass(frozen=True, slots=True)
class RevisionVerifiers:
    """The verifier of revisions against others, with earlier attempts in its context and without (Snell et al., 2024,
    fig. 15), and against the vote, which reads none.

    strategy, chains: what is drawn, in so many chains of ever more attempts. selection: one that reads scores.
    """

    strategy: str
    chains: int
    selection: str
    against: Sequence[str]

    def panels(self, records: Records) -> Sequence[Panel]:
        verifiers = variants.by(records.only(self._runs(records.runs)), "prm")
        if len(verifiers) < 2:
            raise RecordsError(
                f"runs of {self.strategy} with two PRMs are missing: there is {', '.join(verifiers) or 'none'}"
            )
        evaluate.same_setup(records.runs, apart="prm")
        estimates = evaluate.common(pd.concat(self._lines(verifiers), ignore_index=True))
        labels = estimates.drop_duplicates("method").set_index("method")["label"]
        table = evaluate.summary(estimates)
        title = f"{look(self.strategy).label} by verifier: accuracy"
        return curves(table.assign(label=table["method"].map(labels)), "revision_verifiers", title, self.against)

    def _runs(self, runs: pd.DataFrame) -> list[str]:
        return list(runs.loc[(runs["strategy"] == self.strategy) & runs["chains"].notna(), "run"])

    def _lines(self, verifiers: dict[str, Records]) -> Iterator[pd.DataFrame]:
        found = {name: revisions.grids(one, self.strategy) for name, one in verifiers.items()}
        for name, table in found.items():
            method = name.translate(str.maketrans("()", "[]"))  # parentheses would make variants of one method of them
            yield self._of(table, self.selection, name).assign(method=method, label=name)
        first = next(iter(found.values()))
        yield self._of(first, "majority", next(iter(found))).assign(method="majority", label="Majority (no verifier)")

    def _of(self, table: pd.DataFrame, selection: str, name: str) -> pd.DataFrame:
        rows = table[(table["chains"] == self.chains) & (table["selection"] == selection)]
        if rows.empty:
            there = ", ".join(str(chains) for chains in sorted(table["chains"].unique()))
            raise RecordsError(f"no {self.chains} chains with the selection {selection} of PRM {name}; chains: {there}")
        return rows
