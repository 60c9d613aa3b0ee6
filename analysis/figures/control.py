"""Which method obeys its budget, gains from a larger one, and gets furthest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.drawing import markdown
from analysis.drawing.style import look, ordered
from analysis.figures.figure import Sheet
from analysis.papers import control, thinking
from analysis.papers.control import METRICS, Measured
from analysis.papers.limits import Limits, limits
from analysis.papers.thinking import Evaluation
from analysis.runs.load import Records, RecordsError
from ttcs.records.interval import Interval

HEADER = {"control": "Control (%)", "scaling": "Scaling", "performance": "Performance (%)"}
UNITS = {"log2": "points per doubling of the thinking tokens", "tokens": "points per 1000 thinking tokens"}
UNKNOWN = Interval(np.nan, np.nan, np.nan)
THOUSAND = {"log2": 1.0, "tokens": 1000.0}


@dataclass(frozen=True, slots=True)
class Control:
    """Control, scaling and performance of every method (Muennighoff et al., 2025, table 3), and paired differences.

    strategies: those to compare, as far as they were run. text: of budget forcing, see thinking.evaluations.
    x: `log2` or `tokens`, what a slope is over. step_tokens: what a step may take, for the limit of n steps. reference:
    the method that the others are compared with. A method needs two evaluations for a slope; of runs with
    x=log2, those without thinking tokens are left out.
    """

    strategies: Sequence[str]
    text: str | None
    x: str
    step_tokens: int
    reference: str
    resamples: int

    def panels(self, records: Records) -> Sequence[Sheet]:
        if self.x not in control.AXES:
            raise RecordsError(f"x={self.x}: a slope is over {' or '.join(control.AXES)}")
        table = pd.concat(thinking.by_dataset(records, self.strategies, self._table).values(), ignore_index=True)
        return [Sheet("control", markdown.by_dataset(table, self._part), table)]

    def _table(self, dataset: str, records: Records) -> pd.DataFrame:
        """dataset, method, evaluations, n_problems, metric, value, difference to the reference; with their ends."""
        methods = self._methods(thinking.evaluations(records, self.strategies, self.text))
        measured = {name: self._measured(several) for name, several in methods.items()}
        other = measured.get(self.reference)
        rows = []
        for name in ordered(measured):
            own = control.interval(measured[name])
            apart = {} if other is None or name == self.reference else control.interval(measured[name], other)
            first, _ = methods[name][0]
            sizes = {"evaluations": len(methods[name]), "n_problems": first.table["problem_id"].nunique()}
            for metric in METRICS:
                values = _named("", own[metric]) | _named("difference", apart.get(metric, UNKNOWN))
                named = {"dataset": dataset, "method": name, **sizes, "metric": metric}
                rows.append(named | self._scaled(metric, values))
        return pd.DataFrame(rows)

    def _methods(self, found: Sequence[Evaluation]) -> dict[str, list[tuple[Evaluation, Limits]]]:
        pairs = zip(found, limits(found, self.step_tokens), strict=True)
        methods: dict[str, list[tuple[Evaluation, Limits]]] = {}
        for one, limit in pairs:
            if self.x == "tokens" or one.per_problem("thinking").mean() > 0:
                methods.setdefault(one.method, []).append((one, limit))
        if not methods:
            raise RecordsError("no run thinks at all: x=tokens compares them nevertheless")
        return methods

    def _measured(self, several: Sequence[tuple[Evaluation, Limits]]) -> Measured:
        tokens, correct = (pd.concat([one.per_problem(column) for one, _ in several], axis=1)
                           for column in ("thinking", "correct"))  # fmt: skip
        return control.measured(tokens, correct, [limit for _, limit in several], self.x, self.resamples)

    def _scaled(self, metric: str, values: Mapping[str, float]) -> dict[str, float]:
        unit = THOUSAND[self.x] if metric == "scaling" else 1.0
        return {key: unit * value for key, value in values.items()}

    def _part(self, dataset: str, table: pd.DataFrame) -> list[str]:
        caption = (
            f"{dataset}, {table['n_problems'].max()} problems; 95% bootstrap intervals over problems "
            f"({self.resamples:,} resamples). Scaling: {UNITS[self.x]}."
        )
        found = [caption, self._grid(table, "")]
        if table["difference"].notna().any():
            label = look(self.reference).label.lower()
            found += [f"Minus {label}, paired by problem.", self._grid(table, "difference")]
        return found

    def _grid(self, table: pd.DataFrame, kind: str) -> str:
        names = [name for name in dict.fromkeys(table["method"]) if not kind or name != self.reference]
        rows = table.set_index(["method", "metric"])
        cells = [
            [look(name).label, f"{rows.loc[(name, METRICS[0]), 'evaluations']}",
             *(_cell(rows.loc[(name, metric)], kind) for metric in METRICS)]
            for name in names
        ]  # fmt: skip
        return markdown.grid(["Method", "runs", *HEADER.values()], cells)


def _named(kind: str, values: Interval) -> dict[str, float]:
    return dict(zip(_columns(kind), values, strict=True))


def _columns(kind: str) -> tuple[str, str, str]:
    return ("value", "low", "high") if not kind else (kind, f"{kind}_low", f"{kind}_high")


def _cell(row: pd.Series, kind: str) -> str:
    value = Interval(*(float(row[column]) / 100 for column in _columns(kind)))
    return "-" if pd.isna(value.mean) else markdown.bracketed(value, "+" * bool(kind))
