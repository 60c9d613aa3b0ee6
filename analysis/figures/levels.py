"""Accuracy by difficulty and budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.drawing import bars
from analysis.estimates import evaluate
from analysis.estimates.bins import bins
from analysis.figures.figure import Panel
from analysis.runs.load import Records, RecordsError

LEAST = 3  # problems in a bin: with fewer an interval over problems says nothing


@dataclass(frozen=True, slots=True)
class Levels:
    """Bars for every method and n in each level or bin (Snell et al., 2024, fig. 3 right; Beeching et al., 2024).

    difficulty: annotated (the levels of the dataset), or quantile bins of the oracle's or the predicted difficulty.
    bins: how many of those. own: bins from the samples that are drawn, which flatters best-of-N
    (analysis.estimates.bins).
    methods: None: all but greedy and pass@N. at: the n (None: those that every method has).
    """

    difficulty: str
    bins: int
    own: bool
    methods: Sequence[str] | None
    at: Sequence[int] | None

    def panels(self, records: Records) -> Sequence[Panel]:
        found = evaluate.chosen(evaluate.evaluate(records), self.methods)
        known = found if self.methods else found[found["method"] != "greedy"]
        estimates = known[known["n"].isin(self._budgets(known))]
        table = evaluate.summary(self._binned(records, estimates), within=["bin"])
        word = "level" if self.difficulty == "annotated" else f"bin of {self.difficulty} difficulty"
        size = (max(6.2, 1.2 + 0.11 * len(table)), 3.9)
        return [Panel(f"levels_{self.difficulty}", f"Accuracy by {word} and N", table, bars.levels, size=size)]

    def _budgets(self, estimates: pd.DataFrame) -> Sequence[int]:
        if estimates.empty:
            raise RecordsError("no run with a budget: greedy has none")
        there = {str(name): {int(n) for n in rows} for name, rows in estimates.groupby("method")["n"]}
        shared = sorted(set.intersection(*there.values()))
        if wanted := self.at:
            if missing := [n for n in wanted if not any(n in has for has in there.values())]:
                raise RecordsError(f"no method has n = {', '.join(map(str, missing))}; all have {shared}")
            return wanted
        if not shared:
            told = "; ".join(f"{name}: {', '.join(map(str, sorted(has)))}" for name, has in there.items())
            raise RecordsError(f"the methods have no n in common ({told}): choose figure.methods or figure.at")
        return shared

    def _binned(self, records: Records, estimates: pd.DataFrame) -> pd.DataFrame:
        ids, seeds = sorted(estimates["problem_id"].unique()), sorted(int(seed) for seed in estimates["seed"].unique())
        found = bins(records, ids, seeds, self.difficulty, self.bins, own=self.own).table
        counts = found.groupby("bin")["problem_id"].nunique()
        if self.difficulty != "annotated":
            counts = counts.reindex(range(1, self.bins + 1), fill_value=0)
        for bin, count in counts[counts < LEAST].items():
            word, remedy = ("level", "") if self.difficulty == "annotated" else ("bin", " or fewer bins (figure.bins)")
            raise RecordsError(f"{word} {bin} holds {count} problems, fewer than {LEAST}: take more problems{remedy}")
        return estimates.merge(found[["seed", "problem_id", "bin"]], on=["seed", "problem_id"])
