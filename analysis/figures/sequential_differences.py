"""Do thinking longer and thinking more often add up? Paired differences between all points of `sequential_scaling`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.drawing import markdown
from analysis.estimates import bootstrap
from analysis.estimates.pool import INDEPENDENT
from analysis.figures.figure import Sheet
from analysis.figures.sequential_scaling import WHOLE, SequentialScaling
from analysis.figures.thinking import file
from analysis.papers import thinking
from analysis.runs.load import Records, RecordsError
from ttcs.records.interval import Interval, interval


@dataclass(frozen=True, slots=True)
class SequentialDifferences:
    """Each evaluation minus one of them, paired by problem.

    scaling: what is evaluated. reference: its method and budget, as the tables name them: "majority: 16" (None: the one
    with the most thinking).
    """

    scaling: SequentialScaling
    reference: str | None

    def panels(self, records: Records) -> Sequence[Sheet]:
        strategies = [self.scaling.sequential, *INDEPENDENT, WHOLE]
        thinking.of(records, strategies[:1])
        return list(thinking.by_dataset(records, strategies, self._sheet).values())

    def _sheet(self, dataset: str, records: Records) -> Sheet:
        table = self.scaling.outcomes(dataset, records)
        parts = {
            f"{method}: {budget}": rows for (method, budget), rows in table.groupby(["method", "budget"], sort=False)
        }
        reference = self.reference or max(parts, key=lambda name: float(parts[name]["thinking"].mean()))
        if reference not in parts:
            raise RecordsError(f"no evaluation {reference!r} on {dataset}; there are {', '.join(parts)}")
        rows = [self._row(name, one, parts[reference]) for name, one in parts.items()]
        found = pd.DataFrame(rows).sort_values("thinking", kind="stable", ignore_index=True)
        return Sheet(
            f"sequential_differences_{file(dataset)}", _text(found, reference), found.assign(reference=reference)
        )

    def _row(self, name: str, rows: pd.DataFrame, reference: pd.DataFrame) -> dict[str, object]:
        accuracy = interval(list(bootstrap.per_problem(rows)), self.scaling.resamples)
        apart = bootstrap.difference(rows, reference, self.scaling.resamples)
        ends = {"accuracy": accuracy.mean, "low": accuracy.low, "high": accuracy.high}
        paired = {"difference": apart.mean, "difference_low": apart.low, "difference_high": apart.high}
        sizes = {"thinking": float(rows["thinking"].mean()), "n_problems": rows["problem_id"].nunique()}
        return {"evaluation": name, **ends, **paired, **sizes}


def _text(table: pd.DataFrame, reference: str) -> str:
    caption = f"{table['n_problems'].max()} problems; 95% bootstrap intervals over problems, paired by problem."
    header = ["Evaluation", "Accuracy (%)", f"minus {reference}", "Thinking tokens"]
    return f"{caption}\n\n{markdown.grid(header, [_cells(row, reference) for _, row in table.iterrows()])}\n"


def _cells(row: pd.Series, reference: str) -> list[str]:
    apart = markdown.bracketed(Interval(row["difference"], row["difference_low"], row["difference_high"]), sign="+")
    return [
        str(row["evaluation"]),
        markdown.percent(Interval(row["accuracy"], row["low"], row["high"])),
        "-" if row["evaluation"] == reference else apart,
        markdown.number(row["thinking"]),
    ]
