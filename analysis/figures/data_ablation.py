"""Policies that were trained on different data, under one way of thinking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from analysis.drawing import markdown
from analysis.estimates import bootstrap, evaluate
from analysis.figures.appended import cells
from analysis.figures.figure import Sheet
from analysis.papers import thinking
from analysis.papers.budgets import waited
from analysis.papers.thinking import Evaluation
from analysis.runs import variants
from analysis.runs.load import Records, RecordsError
from ttcs.records.interval import interval


@dataclass(frozen=True, slots=True)
class DataAblation:
    """Accuracy of each policy, and its difference to the first, paired by problem (Muennighoff et al., 2025, table 2).

    policies: words in the names of those to compare, the first of them the reference (None: all, as their names sort).
    Policies of one name are told apart by their settings. strategy: of the runs that are compared. thinking: their
    budget (None: the largest that all policies have); runs that wait are left out.
    """

    policies: Sequence[str] | None
    strategy: str
    thinking: int | None
    resamples: int

    def panels(self, records: Records) -> Sequence[Sheet]:
        table = pd.concat(thinking.by_dataset(records, [self.strategy], self._table).values(), ignore_index=True)
        return [Sheet("data_ablation", markdown.by_dataset(table, self._part), table)]

    def _table(self, dataset: str, records: Records) -> pd.DataFrame:
        evaluate.same_setup(records.runs, apart="policy")
        models = self._chosen(variants.by(records, "policy"))
        known = {name: self._plain(one) for name, one in models.items()}
        budget = self._budget(known)
        # A policy's name in the place of the method's, which is the same for all of them.
        several = [replace(one, method=name) for name, found in known.items() for one in found
                   if one.fields.get("thinking") == budget]  # fmt: skip
        if len(several) > len(models):
            raise RecordsError(
                f"several runs of {self.strategy} at thinking={budget} of one policy differ in other settings"
            )
        return pd.DataFrame(self._rows(thinking.shared(several), budget)).assign(dataset=dataset)

    def _chosen(self, models: dict[str, Records]) -> dict[str, Records]:
        """Under the words that they were asked for by, in that order."""
        there = ", ".join(models)
        if len(models) < 2:
            raise RecordsError(f"all runs of {self.strategy} are of one policy ({there}): runs of another are missing")
        if self.policies is None:
            return dict(sorted(models.items()))
        chosen = {}
        for word in self.policies:
            names = [name for name in models if word in name]
            if len(names) != 1:
                raise RecordsError(f"{len(names)} policies have {word!r} in their names; there are {there}")
            chosen[word] = models[names[0]]
        return chosen

    def _plain(self, records: Records) -> list[Evaluation]:
        found = thinking.every(records, [self.strategy])
        return [one for one in found if not waited(one.fields)]

    def _budget(self, known: dict[str, list[Evaluation]]) -> object:
        sets = [{one.fields.get("thinking") for one in several} for several in known.values()]
        both = {budget for budget in set.intersection(*sets) if self.thinking in (None, budget)}
        if not both:
            told = "; ".join(f"{name}: {_words(budgets)}" for name, budgets in zip(known, sets, strict=True))
            raise RecordsError(f"no budget of {self.strategy} that all policies have ({told})")
        return max(both, key=lambda budget: budget or 0)

    def _rows(self, shared: Sequence[Evaluation], budget: object) -> Iterator[dict[str, object]]:
        for one in shared:
            accuracy = interval(list(one.per_problem("correct")), self.resamples)
            difference = bootstrap.difference(one.table, shared[0].table, self.resamples)
            ends = dict(zip(("difference", "difference_low", "difference_high"), difference, strict=True))
            yield {
                "policy": one.method, "budget": budget,
                "accuracy": accuracy.mean, "low": accuracy.low, "high": accuracy.high, **ends,
                "thinking": one.per_problem("thinking").mean(),
                "n_problems": one.table["problem_id"].nunique(), "seeds": one.table["seed"].nunique(),
            }  # fmt: skip

    def _part(self, dataset: str, table: pd.DataFrame) -> list[str]:
        first = table["policy"].iloc[0]
        caption = (
            f"{dataset}, {table['n_problems'].max()} problems; thinking at most {table['budget'].iloc[0]} tokens; 95% "
            f"bootstrap intervals over problems ({self.resamples:,} resamples), differences paired by problem."
        )
        rows = [[row["policy"], *cells(row, row["policy"] != first)] for _, row in table.iterrows()]
        return [caption, markdown.grid(["Policy", "Accuracy (%)", f"minus {first}", "Thinking tokens"], rows)]


def _words(budgets: set[object]) -> str:
    return ", ".join(str(budget) for budget in sorted(budgets, key=str)) or "none"
