"""Records -> how hard each problem is, in bins (Snell et al., 2024, section 3.2), for the runs of every seed.

A bin must not be made from the samples that are then evaluated in it: a problem that was lucky in a pool would be both
"easy" and solved by that pool, so the bins would flatter best-of-N where they are easy and the other methods where they
are hard. Runs of one seed also share their first steps. So the runs of a seed get their bins from the best-of-N pools
of the other seeds. `own` takes the pool of the same seed instead, which is in-sample and has to be said so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimates import charges
from analysis.estimates.pool import Floats, whole_pools
from analysis.runs import repeats
from analysis.runs.load import Records, RecordsError
from analysis.runs.reduction import rescore
from ttcs.choice.difficulty import cut, thresholds

KINDS = ("oracle", "predicted", "annotated")


@dataclass(frozen=True, slots=True)
class Estimates:
    """table: seed, problem_id, value (higher is easier). samples: how many each value is the mean of.

    tokens, flops: what the samples of one estimate cost, mean over problems and seeds. For a value that needs no scores
    the PRM is not charged.
    """

    difficulty: str
    samples: int
    table: pd.DataFrame
    tokens: float
    flops: float


@dataclass(frozen=True, slots=True)
class Bins:
    """table: seed, problem_id, value, bin (1 = easiest). thresholds: quantiles of the values, ascending."""

    estimates: Estimates
    table: pd.DataFrame
    thresholds: tuple[float, ...]


def bins(
    records: Records,
    ids: Sequence[str],
    seeds: Sequence[int],
    difficulty: str,
    count: int = 5,
    samples: int | None = None,
    own: bool = False,
) -> Bins:
    """The bins of the problems `ids` for the runs of each of `seeds`, cut at the quantiles over all of these values.

    difficulty: `oracle` (pass@1), `predicted` (mean final score of the PRM) or `annotated` (the level, which is a bin).
    samples: the first so many of the pools in question (None: all). own: see the head of this file.
    """
    if difficulty not in KINDS:
        raise RecordsError(f"unknown difficulty {difficulty!r}: one of {', '.join(KINDS)}")
    if difficulty == "annotated":
        found = _levels(records, ids, seeds)
        return Bins(found, found.table.assign(bin=-found.table["value"].astype("int64")), ())
    return quantiles(estimates(records, ids, seeds, difficulty, samples, own), count)


def quantiles(found: Estimates, count: int) -> Bins:
    """Quantile bins of values that are not levels."""
    values = [float(value) for value in found.table["value"]]
    at = thresholds(values, count)
    return Bins(found, found.table.assign(bin=cut(values, at)), tuple(at))


def estimates(
    records: Records,
    ids: Sequence[str],
    seeds: Sequence[int],
    difficulty: str,
    samples: int | None = None,
    own: bool = False,
) -> Estimates:
    """As `bins`, before they are cut. The first sample of a seed's estimate is that of the next seed's pool."""
    pools = largest(records, difficulty)
    parts, costs, used = [], [], set()
    for seed in seeds:
        sources = [seed] * (seed in pools) if own else _others(seed, sorted(pools))
        values, cost, size = _estimate([pools[source] for source in sources], seed, ids, samples, difficulty)
        parts.append(values)
        costs.append(cost)
        used.add(size)
    tokens, flops = np.mean(costs, axis=0)
    return Estimates(difficulty, min(used), pd.concat(parts, ignore_index=True), float(tokens), float(flops))


def largest(records: Records, difficulty: str) -> dict[int, Records]:
    """Seed -> the largest finished best-of-N run; for predictions the largest that was scored."""
    first = repeats.first(whole_pools(records, scored=difficulty == "predicted"), ["seed"])
    return {int(seed): records.of(run) for seed, run in zip(first["seed"], first["run"], strict=True)}


def _others(seed: int, seeds: Sequence[int]) -> list[int]:
    """All but `seed`, the next one first."""
    return [other for other in seeds if other > seed] + [other for other in seeds if other < seed]


def _estimate(
    sources: Sequence[Records], seed: int, ids: Sequence[str], samples: int | None, difficulty: str
) -> tuple[pd.DataFrame, tuple[float, float], int]:
    """Values of one seed, their cost per problem, and the samples each is made of."""
    sizes = [int(source.runs["n"].iloc[0]) for source in sources]
    if not sizes:
        raise RecordsError(
            f"the bins of the runs of seed {seed} have to come from best-of-N runs of other seeds"
            f"{' with scores' * (difficulty == 'predicted')}, and there are none: add a seed, or take the samples "
            "of the same runs, in-sample (own=true)"
        )
    size = sum(sizes) if samples is None else samples
    if not 1 <= size <= sum(sizes):
        raise RecordsError(f"samples={size} is not one of 1 to {sum(sizes)}, the samples there are for seed {seed}")
    taken = np.clip(size - np.cumsum([0, *sizes[:-1]]), 0, sizes)
    costs = [_cost(source, difficulty, int(k)) for source, k in zip(sources, taken, strict=True)]
    tokens, flops = np.sum(costs, axis=0)
    drawn = pd.concat([_values(source, difficulty) for source in sources])
    first = drawn.groupby("problem_id", sort=False).head(size)
    mean = first.groupby("problem_id")["value"].mean().reindex(list(ids))
    # No sample with a final score: the policy did not get to an end, which is as hard as a problem can be.
    values = mean.fillna(0.0).rename_axis("problem_id").reset_index().assign(seed=seed)
    return values[["seed", "problem_id", "value"]], (float(tokens), float(flops)), size


def _values(pool: Records, difficulty: str) -> pd.DataFrame:
    """problem_id, value of every sample, in the order they were drawn."""
    samples = pool.candidates.sort_values(["problem_id", "index"], kind="stable")
    if difficulty == "oracle":
        return samples[["problem_id"]].assign(value=samples["correct"].astype("float64"))
    return rescore(samples, "last")[["problem_id", "score"]].rename(columns={"score": "value"})


def _cost(pool: Records, difficulty: str, k: int) -> Floats:
    """Decoded tokens and FLOPs per problem of k samples of a pool; nan where they are not on record (an import)."""
    names = ["decoded_tokens", "policy_flops", "prm_flops"]
    if not k:
        return np.zeros(2)
    spent = pool.problems.reindex(columns=["problem_id", *names]).assign(n=k, share=k / int(pool.runs["n"].iloc[0]))
    shares = charges.shares(spent, pool)
    tokens, policy, prm = (spent[name].astype("float64") for name in names)
    flops = policy * shares["policy"] + (prm * shares["prm"] if difficulty == "predicted" else 0.0)
    return np.array([(tokens * spent["share"]).mean(), flops.mean()])


def _levels(records: Records, ids: Sequence[str], seeds: Sequence[int]) -> Estimates:
    levels = records.problems.drop_duplicates("problem_id").set_index("problem_id")["level"].reindex(list(ids))
    if levels.isna().any():
        raise RecordsError(f"problem {levels.index[levels.isna()][0]} has no level, so it has no annotated bin")
    values = (-levels.astype("float64")).rename("value").rename_axis("problem_id").reset_index()
    table = pd.concat([values.assign(seed=seed) for seed in seeds], ignore_index=True)
    return Estimates("annotated", 0, table[["seed", "problem_id", "value"]], 0.0, 0.0)
