"""Votes that stop when they have enough, from the samples of runs of a fixed n: what each rule finds and costs.

Every problem is voted on in several orders of its samples (`ttcs.records.early`), the same for every rule and for the
votes of a fixed n beside them, so that differences are paired by problem and order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import repeat

import numpy as np
import pandas as pd

from analysis.estimates import evaluate
from analysis.estimates.pool import Floats, whole_pools
from analysis.runs import repeats
from analysis.runs.load import Records, RecordsError
from ttcs.choice import confident
from ttcs.core import Candidate, Confidence, Selection, Stopping
from ttcs.records import early
from ttcs.records.early import Course, Samples
from ttcs.records.interval import RESAMPLES, interval, ratio, shares

FIXED = "fixed_n"
COSTS = ["samples", "tokens", "speculated", "rounds", "latency"]
OURS = "ttcs.strategies.best_of_n.BestOfN"  # whatever the yaml of a run is called
NEAR = 1e-9  # accuracies that differ by rounding alone are equal
STEPS = 4  # sizes of the fixed vote for every doubling of n

Rules = Mapping[str, Sequence[Stopping]]  # name of a curve -> its points


@dataclass(frozen=True, slots=True)
class Votes:
    """selection: who wins. n: samples at most (None: those of the largest runs). orders: of the samples of a problem.

    ahead: samples that run beyond those that have ended (None: all).
    """

    selection: Selection
    n: int | None
    orders: int
    ahead: int | None

    def estimates(self, records: Records, rules: Rules) -> pd.DataFrame:
        """problem_id, method, setting, seed, correct and COSTS, over the problems that all the runs have.

        Of the runs of independent samples, those with the largest n. RecordsError where there are none.
        """
        read = self.selection.reads_scores or any(rule.reads_scores for points in rules.values() for rule in points)
        pools, seeds = self._pools(records, read)
        size = len(next(iter(pools[0].values())).seen)
        n = size if self.n is None else self.n
        if not 1 <= n <= size:
            raise RecordsError(f"n={n} is not one of 1 to {size}, the samples of the largest run")
        orders = early.orders(size, n, self.orders)
        common = sorted(set.intersection(*(set(pool) for pool in pools)))
        rows = [
            {"problem_id": id, "method": method, "setting": setting, "seed": seed, **asdict(course)}
            for pool, seed in zip(pools, seeds, strict=True)
            for id in common
            for method, setting, course in self._courses(pool[id], rules, orders)
        ]
        return pd.DataFrame(rows)

    def _pools(self, records: Records, scored: bool) -> tuple[list[dict[str, Samples]], list[int]]:
        """scored: of runs that have scores."""
        runs = whole_pools(records)
        if runs.empty:
            raise RecordsError("no finished run of best_of_n without a budget: a vote stops at its samples")
        evaluate.same_setup(runs)
        runs = whole_pools(records, scored)
        if runs.empty:
            raise RecordsError("no finished run of best_of_n has scores, which the selection or a rule reads")
        kept = repeats.first(runs[runs["n"] == runs["n"].max()], ["seed"])
        repeats.say(runs, kept, ["seed"])
        largest = kept.sort_values("seed", kind="stable")
        for strategy in largest["fields"]:
            confident.check(self.selection, {"_target_": OURS, "confidence": None, **strategy})
        pools = [samples(evaluate.graded(records.of(str(run)))) for run in largest["run"]]
        return pools, [int(seed) for seed in largest["seed"]]

    def _courses(
        self, samples: Samples, rules: Rules, orders: Sequence[Sequence[int]]
    ) -> Iterator[tuple[str, str, Course]]:
        """Method, setting and mean course of every point."""
        for size in sizes(len(orders[0])):
            yield FIXED, str(size), self._fixed(samples, orders, size)
        for name, points in rules.items():
            for rule in points:
                needed = [early.enough(rule, [samples.seen[i] for i in order]) for order in orders]
                yield name, setting(rule), early.over(samples, orders, needed, self.ahead, self.selection)

    def _fixed(self, samples: Samples, orders: Sequence[Sequence[int]], size: int) -> Course:
        fewer = [order[:size] for order in orders]
        return early.over(samples, fewer, [size] * len(orders), None, self.selection)


def samples(run: Records) -> dict[str, Samples]:
    """Problem id -> its samples. RecordsError where some are missing, or nobody has counted their tokens."""
    n, path = int(run.runs.iloc[0]["n"]), run.runs.iloc[0]["path"]
    found = {str(id): _samples(str(id), rows) for id, rows in run.candidates.groupby("problem_id", sort=False)}
    for id in map(str, run.problems["problem_id"]):
        if id not in found or len(found[id].seen) != n:
            raise RecordsError(f"{path}: problem {id} has {len(found[id].seen) if id in found else 0} samples, not {n}")
        if found[id].tokens is None:
            raise RecordsError(f"{path}: there is no number of tokens for the samples of problem {id}")
    return found


def _samples(id: str, rows: pd.DataFrame) -> Samples:
    answers = [None if pd.isna(group) else int(group) for group in rows["group"]]
    scores = rows["score"].fillna(-np.inf).astype("float64")
    sure = [None if one is None else Confidence(*one) for one in rows["confidence"]]
    return Samples(
        problem_id=id,
        seen=tuple(map(Candidate, answers, scores, repeat(None), sure)),
        correct=tuple(rows["correct"].fillna(False).astype(bool)),
        tokens=None if rows["tokens"].isna().any() else tuple(map(int, rows["tokens"])),
    )


def sizes(n: int) -> list[int]:
    """Of the fixed votes that the curve beside the rules is drawn through: 1 to n, so many for every doubling."""
    steps = range(int(np.log2(n) * STEPS) + 1)
    return sorted({*(round(2 ** (step / STEPS)) for step in steps), n})


def setting(rule: Stopping) -> str:
    """Its numbers, for example its threshold; empty where it has none."""
    values = asdict(rule).values()  # type: ignore[call-overload]
    return ", ".join(f"{value:g}" for value in values if not isinstance(value, bool))


def frontier(estimates: pd.DataFrame) -> pd.DataFrame:
    """Estimates -> a row per method and setting: accuracy with its interval, means of COSTS per problem, and

    difference, difference_low, difference_high: of the accuracy from that of all n.
    share, share_low, share_high: tokens over those that a vote of a fixed n takes to the same accuracy (`tokens_at`).
    """
    by = ["method", "setting", "problem_id"]
    means = estimates.groupby(by, sort=False)[["correct", *COSTS]].mean().astype("float64")
    points = {key: rows.droplevel([0, 1]) for key, rows in means.groupby(level=[0, 1], sort=False)}
    fixed = [rows for (method, _), rows in points.items() if method == FIXED]
    seeds = estimates["seed"].nunique()
    rows = [
        {"method": method, "setting": setting, **_row(own, fixed), "n_problems": len(own), "seeds": seeds}
        for (method, setting), own in points.items()
    ]
    return pd.DataFrame(rows)


def _row(own: pd.DataFrame, fixed: Sequence[pd.DataFrame]) -> dict[str, float]:
    full = fixed[-1]
    mean, low, high = interval(own["correct"].to_numpy())
    accuracy = {"accuracy": mean, "low": low, "high": high}
    costs = {name: float(own[name].mean()) for name in COSTS}
    names = "difference", "difference_low", "difference_high"
    difference = dict(zip(names, interval((own["correct"] - full["correct"]).to_numpy()), strict=True))
    whole = dict(zip(("of_all", "of_all_low", "of_all_high"), ratio(_of(own), _of(full)), strict=True))
    share = dict(zip(("share", "share_low", "share_high"), _share(own, fixed), strict=True))
    return {**accuracy, **difference, **costs, **whole, **share}


def _of(rows: pd.DataFrame) -> Floats:
    return rows["tokens"].to_numpy(np.float64)


def _share(own: pd.DataFrame, fixed: Sequence[pd.DataFrame]) -> tuple[float, float, float]:
    """Tokens over those of a vote of a fixed n at the same accuracy, with its interval: both curves drawn anew."""
    problems = len(own)
    drawn = np.vstack([np.full((1, problems), 1 / problems), shares(problems, RESAMPLES, 0)])
    curve = drawn @ np.column_stack([rows["correct"].to_numpy(np.float64) for rows in fixed])
    tokens = drawn @ np.column_stack([_of(rows) for rows in fixed])
    found = drawn @ _of(own) / tokens_at(drawn @ own["correct"].to_numpy(np.float64), curve, tokens)
    low, high = np.quantile(found[1:], (0.025, 0.975))
    return float(found[0]), float(low), float(high)


def tokens_at(accuracy: Floats, curve: Floats, tokens: Floats) -> Floats:
    """(rows,), (rows, sizes), (rows, sizes) -> (rows,): tokens where a curve first reaches an accuracy.

    Linear between the sizes; those of the first size where even that is better, and of the last where none is as good.
    """
    best = np.maximum.accumulate(curve, axis=1)
    after = np.minimum((best < accuracy[:, None] - NEAR).sum(axis=1), curve.shape[1] - 1)
    before, rows = np.maximum(after - 1, 0), np.arange(len(accuracy))
    low, high = best[rows, before], best[rows, after]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(high > low, np.clip((accuracy - low) / (high - low), 0.0, 1.0), 1.0)
    spent: Floats = tokens[rows, before] + part * (tokens[rows, after] - tokens[rows, before])
    return spent
