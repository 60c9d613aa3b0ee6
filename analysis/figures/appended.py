"""What to append where the policy would end its thinking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.drawing import markdown
from analysis.estimates import bootstrap
from analysis.figures.figure import Sheet
from analysis.papers import thinking
from analysis.papers.budgets import FORCING, waited
from analysis.papers.thinking import Evaluation
from analysis.runs.load import Records, RecordsError
from ttcs.records.interval import Interval, interval


@dataclass(frozen=True, slots=True)
class Appended:
    """Accuracy by waits and appended string, and its difference to no waiting (Muennighoff et al., 2025, table 4).

    thinking: the budget of the runs that are compared (None: the largest at which some wait and some do not).
    """

    thinking: int | None
    resamples: int

    def panels(self, records: Records) -> Sequence[Sheet]:
        table = pd.concat(thinking.by_dataset(records, [FORCING], self._table).values(), ignore_index=True)
        return [Sheet("appended", markdown.by_dataset(table, self._part), table)]

    def _table(self, dataset: str, records: Records) -> pd.DataFrame:
        found = thinking.every(records, [FORCING])
        budget = self._budget(found)
        known = [one for one in found if one.fields.get("thinking") == budget]
        rows = [row for one in known if not waited(one.fields) for row in self._rows(one, known)]
        return pd.DataFrame(rows).assign(dataset=dataset)

    def _budget(self, found: Sequence[Evaluation]) -> int:
        waits, plain = ({one.fields["thinking"] for one in found if waited(one.fields) == has} for has in (True, False))
        both = {budget for budget in waits & plain if self.thinking in (None, budget)}
        if not both:
            at = "" if self.thinking is None else f" at thinking={self.thinking}"
            there = f"with them at {_words(waits)}, without at {_words(plain)}"
            raise RecordsError(f"no runs of {FORCING} with and without waits{at}: {there}")
        return int(max(both))

    def _rows(self, plain: Evaluation, known: Sequence[Evaluation]) -> Iterator[dict[str, object]]:
        """Of one method: the run without waits first, then the others by waits and string."""
        ours = [one for one in known if one.method == plain.method and waited(one.fields)]
        for one in [plain, *sorted(ours, key=lambda one: (one.fields.get("waits") or 0, one.fields.get("text") or ""))]:
            accuracy = interval(list(one.per_problem("correct")), self.resamples)
            difference = bootstrap.difference(one.table, plain.table, self.resamples)
            ends = dict(zip(("difference", "difference_low", "difference_high"), difference, strict=True))
            yield {
                "method": one.method, "budget": one.fields["thinking"], "waits": one.fields.get("waits") or 0,
                "least": one.fields.get("least"), "text": one.fields.get("text") if one is not plain else None,
                "accuracy": accuracy.mean, "low": accuracy.low, "high": accuracy.high, **ends,
                "thinking": one.per_problem("thinking").mean(), "n_problems": one.table["problem_id"].nunique(),
                "seeds": one.table["seed"].nunique(),
            }  # fmt: skip

    def _part(self, dataset: str, table: pd.DataFrame) -> list[str]:
        caption = (
            f"{dataset}, {table['n_problems'].max()} problems; thinking at most {table['budget'].iloc[0]} tokens; 95% "
            f"bootstrap intervals over problems ({self.resamples:,} resamples), differences paired by problem."
        )
        several = table["method"].nunique() > 1
        rows = [[_label(row, several), *cells(row, pd.notna(row["text"]))] for _, row in table.iterrows()]
        header = ["Appended", "Accuracy (%)", "minus no waiting", "Thinking tokens"]
        return [caption, markdown.grid(header, rows)]


def cells(row: pd.Series, compared: bool) -> list[str]:
    """Accuracy, difference (-: it is what the others are compared with) and thinking tokens, in words."""
    accuracy = Interval(*(row[column] for column in ("accuracy", "low", "high")))
    ends = ("difference", "difference_low", "difference_high")
    difference = markdown.bracketed(Interval(*(row[column] for column in ends)), "+")
    return [markdown.percent(accuracy), difference if compared else "-", markdown.number(row["thinking"])]


def _label(row: pd.Series, several: bool) -> str:
    name = f"{row['method']}: " * several
    if pd.isna(row["text"]):
        return f"{name}no waiting"
    word = f'"{row["text"]}"' if row["text"] else "nothing"
    least = f"until {row['least']} tokens " if pd.notna(row["least"]) else ""
    times = f"{row['waits']}x " if row["waits"] else ""
    return f"{name}{least}{times}{word}"


def _words(budgets: set[int]) -> str:
    return ", ".join(str(budget) for budget in sorted(budgets)) or "none"
