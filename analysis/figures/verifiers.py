"""One policy and one method under several verifiers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.drawing.style import look, split
from analysis.estimates import evaluate
from analysis.figures.accuracy import curves
from analysis.figures.figure import Panel
from analysis.runs import variants
from analysis.runs.load import Records, RecordsError


@dataclass(frozen=True, slots=True)
class Verifiers:
    """PRM against ORM (Snell et al., 2024, appendix F, fig. 14) and against weak ones (ICLR version, fig. 17).

    method: what is drawn for every verifier. baseline: a method that reads none, drawn once (null: no line).
    """

    method: str
    baseline: str | None
    against: Sequence[str]

    def panels(self, records: Records) -> Sequence[Panel]:
        verifiers = variants.by(records, "prm")
        if len(verifiers) < 2:
            raise RecordsError(f"all runs have one PRM ({', '.join(verifiers)}): runs with another are missing")
        evaluate.same_setup(records.runs, apart="prm")
        lines = list(self._lines(verifiers))
        if not lines:
            raise RecordsError(f"no run of {self.method} with any of the PRMs {', '.join(verifiers)}")
        estimates = evaluate.common(pd.concat(lines, ignore_index=True))
        labels = estimates.drop_duplicates("method").set_index("method")["label"]
        table = evaluate.summary(estimates)
        table = table.assign(label=table["method"].map(labels))
        return curves(table, "verifiers", f"{look(self.method).label} by verifier: accuracy", self.against)

    def _lines(self, verifiers: dict[str, Records]) -> Iterator[pd.DataFrame]:
        found = {name: evaluate.evaluate(one) for name, one in verifiers.items()}
        with_method = {name: one for name, one in found.items() if _has(one, self.method)}
        for name, estimates in with_method.items():
            yield _labelled(evaluate.chosen(estimates, [self.method]), name)
        for estimates in [one for one in with_method.values() if _has(one, self.baseline)][:1]:
            yield estimates[estimates["method"] == self.baseline].assign(label=look(str(self.baseline)).label)


def _has(estimates: pd.DataFrame, method: str | None) -> bool:
    return method in {split(name)[0] for name in estimates["method"]}


def _labelled(estimates: pd.DataFrame, name: str) -> pd.DataFrame:
    """The verifier's name for the method's; variants of the method keep what tells them apart.

    In brackets, as settings in parentheses would make verifiers of one name look like variants of a method.
    """
    details = {method: split(method)[1] for method in estimates["method"].unique()}
    labels = estimates["method"].map(
        {method: f"{name}, {detail}" if detail else name for method, detail in details.items()}
    )
    return estimates.assign(method=labels.str.translate(str.maketrans("()", "[]")), label=labels)
