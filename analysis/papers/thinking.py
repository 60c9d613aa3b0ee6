"""Runs that think for a given length -> evaluations: a method at one budget, with a row per seed and problem."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import pandas as pd

from analysis.estimates import evaluate
from analysis.papers.budgets import REJECTION, named, same_policy, worded
from analysis.runs import variants
from analysis.runs.load import Records, RecordsError
from ttcs.records.interval import RESAMPLES, interval

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A method at one budget. fields: of its strategy.

    table: seed, problem_id, n, correct, thinking, tries, total. correct and thinking are means over the candidates of a
    run, so that n = 16 tells of one thinking as n = 1 does, with less noise; of rejection sampling over those that were
    accepted. tries: candidates for each of the n; total: thinking tokens that the search sampled (nan: not on record).
    """

    method: str
    strategy: str
    budget: str
    fields: Mapping[str, Any]
    table: pd.DataFrame

    def per_problem(self, column: str) -> pd.Series[float]:
        """Mean over seeds, sorted by problem."""
        return self.table.groupby("problem_id")[column].mean().astype("float64")


def of(records: Records, strategies: Sequence[str]) -> Records:
    """The finished runs of these strategies."""
    known = evaluate.finished(records)
    ours = known.runs[known.runs["strategy"].isin(strategies)]
    if ours.empty:
        there = ", ".join(sorted(set(known.runs["strategy"])))
        raise RecordsError(f"no run of {', '.join(strategies)}; there are runs of {there}")
    return known.only(ours["run"])


def by_dataset(records: Records, strategies: Sequence[str], make: Callable[[str, Records], Made]) -> dict[str, Made]:
    """Dataset -> what is made of its name and its runs of these strategies; a warning says where it cannot be."""
    made: dict[str, Made] = {}
    missing: dict[str, RecordsError] = {}
    for name, one in variants.by(of(records, strategies), "dataset").items():
        try:
            made[name] = make(name, one)
        except RecordsError as error:
            missing[name] = error
    if not made:
        raise next(iter(missing.values()))
    for name, reason in missing.items():
        warnings.warn(f"nothing of {name}: {reason}", stacklevel=3)
    return made


def evaluations(records: Records, strategies: Sequence[str], text: str | None = None) -> list[Evaluation]:
    """Every method at every budget, over the problems that all of them have. All runs are of one policy and dataset.

    text: of the runs of budget forcing that wait only those that append this (None: what most of them append).
    """
    runs = worded(_runs(records, strategies), text)
    return shared(list(_grouped(records, named(runs))))


def every(records: Records, strategies: Sequence[str]) -> list[Evaluation]:
    """As `evaluations`, with every appended string as a budget of its own."""
    return shared(list(_grouped(records, named(_runs(records, strategies)))))


def summary(found: Sequence[Evaluation], resamples: int = RESAMPLES) -> pd.DataFrame:
    """A row per evaluation: method, budget, accuracy, low, high, thinking and tries (means), n_problems, seeds."""
    rows = []
    for one in found:
        accuracy = interval(list(one.per_problem("correct")), resamples)
        means = {column: float(one.per_problem(column).mean()) for column in ("thinking", "tries")}
        sizes = {"n_problems": one.table["problem_id"].nunique(), "seeds": one.table["seed"].nunique()}
        ends = {"accuracy": accuracy.mean, "low": accuracy.low, "high": accuracy.high}
        rows.append({"method": one.method, "budget": one.budget, **ends, **means, **sizes})
    return pd.DataFrame(rows).sort_values(["method", "thinking"], kind="stable", ignore_index=True)


def outcomes(run: Records) -> pd.DataFrame:
    """The table of an evaluation, from one run."""
    known, row = evaluate.graded(run), run.runs.iloc[0]
    counted = _accepted(known.candidates) if row["strategy"] == REJECTION else known.candidates
    values = counted.assign(correct=counted["correct"].fillna(False)).astype(
        {"correct": "float64", "thinking": "float64"}
    )
    means = values.groupby("problem_id")[["correct", "thinking"]].mean()
    problems = known.problems.reindex(columns=["problem_id", "thinking_tokens"]).set_index("problem_id")
    runs = 1 if row["strategy"] == REJECTION else int(row["n"])  # the n of rejection is how many tries there may be
    tries = known.candidates.groupby("problem_id").size() / runs
    table = means.reindex(problems.index).assign(tries=tries, total=problems["thinking_tokens"].astype("float64"))
    if table["thinking"].isna().any():
        raise RecordsError(
            f"{row['path']}: problem {table.index[table['thinking'].isna()][0]} does not say how long was thought: "
            "the policy does not think, or the records are older than this key of their candidates"
        )
    return table.reset_index().assign(seed=row["seed"], n=row["n"])


def shared(found: Sequence[Evaluation]) -> list[Evaluation]:
    """Over the problems that all evaluations have in every seed."""
    tables = [one.table.assign(method=one.method, n=one.budget) for one in found]
    kept = set(evaluate.common(pd.concat(tables))["problem_id"])
    return [replace(one, table=one.table[one.table["problem_id"].isin(kept)]) for one in found]


def _runs(records: Records, strategies: Sequence[str]) -> pd.DataFrame:
    runs = of(records, strategies).runs
    same_policy(runs)
    return runs


def _grouped(records: Records, runs: pd.DataFrame) -> Iterator[Evaluation]:
    for (method, budget), rows in runs.groupby(["method", "budget"], sort=False):
        table = pd.concat([outcomes(records.of(run)) for run in rows["run"]], ignore_index=True)
        first = rows.iloc[0]
        yield Evaluation(str(method), first["strategy"], str(budget), first["fields"], table)


def _accepted(candidates: pd.DataFrame) -> pd.DataFrame:
    """Without the tries that were rejected; where all of a problem were, the last of them stands for it."""
    ordered = candidates.sort_values(["problem_id", "index"], kind="stable")
    accepted = ordered[ordered["stop"] != "cut"]
    last = ordered.drop_duplicates("problem_id", keep="last")
    return pd.concat([accepted, last[~last["problem_id"].isin(set(accepted["problem_id"]))]])
