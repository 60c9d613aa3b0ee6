"""What a smaller run would have scored, from the pool of a larger one: the mean over all subsets, not the first n.

A subset of size k keeps the order of the pool, so a tie goes to the answer seen first in it, and at k = n every
estimate is the decision on the whole pool. k is in units: samples of best-of-N, subtrees of DVTS. A candidate without
an answer takes its place in a subset and never wins; one without a score neither, where scores are read, unless it is
the only answer of the pool, which runs leave unscored. The members of a group of answers are right or wrong together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.estimates.pool import Ints, Pool, pools, width
from analysis.runs.load import Records, RecordsError
from ttcs.choice.selection import TIE
from ttcs.records.subsets import RESAMPLES, subsets, top_weights

SELECTIONS = ("majority", "best", "weighted", "pass")
HIERARCHICAL = "hierarchical"
VOTES = ("majority", "pass")  # what does without scores


def pass_at_k(n: int, correct: int, k: int) -> float:
    """Unbiased pass@k, 1 - C(n-c, k) / C(n, k) (Chen et al., 2021, eq. 1): best-of-k under a perfect verifier."""
    return min(1.0, float(top_weights(n, k)[:correct].sum()))


def best_at_k(pool: Pool, k: int) -> float:
    """Probability that the best-scored answer of a random subset is right; exact."""
    champions = _champions(pool, _scored(pool))
    return float(top_weights(pool.units, k)[: len(champions)] @ pool.correct[champions])


def any_at_k(pool: Pool, k: int) -> float:
    """Probability that a random subset holds a right answer: pass@k, over units; exact."""
    return pass_at_k(pool.units, len(np.unique(pool.unit[pool.correct & pool.votes])), k)


def vote_at_k(pool: Pool, chosen: Ints, *, weighted: bool) -> float:
    """Share of the subsets `chosen` (rows of units) whose largest group of answers is right.

    weighted: a group counts the sum of its scores (weighted best-of-N), not its members (majority).
    """
    return float(np.append(pool.correct, False)[_voted(pool, chosen, weighted)].mean())


def finalists(pool: Pool) -> Pool:
    """Of each unit the best candidate of the answer that weighted best-of-N gives it.

    Weighted best-of-N among these is the hierarchical selection of Snell et al. (2024, section 6.1), whose units are
    chains of revisions.
    """
    winner = _voted(pool, np.arange(pool.units)[:, None], weighted=True)
    group = np.append(pool.group, 0)[winner]  # a unit without a winner has no candidate below
    index = _scored(pool)
    return pool.only(np.sort(_champions(pool, index[pool.group[index] == group[pool.unit[index]]])))


def _champions(pool: Pool, index: Ints) -> Ints:
    """Of these candidates the best-scored of each unit, the best of all first."""
    ranked = index[np.lexsort((index, -pool.score[index]))]
    _, first = np.unique(pool.unit[ranked], return_index=True)
    return ranked[np.sort(first)]


def _voted(pool: Pool, chosen: Ints, weighted: bool) -> Ints:
    """For each row of units the first candidate of the winning answer; one past the last where no one votes."""
    voters = _scored(pool) if weighted else np.flatnonzero(pool.votes)
    if not len(voters):
        return np.full(len(chosen), len(pool.unit))
    rows, members = _members(pool, chosen, voters)
    groups, group = np.unique(pool.group[voters], return_inverse=True)
    weights = pool.score[voters] if weighted else np.ones(len(voters))
    shape = (len(chosen), len(groups))
    cell = rows * len(groups) + group[members]
    total = np.bincount(cell, weights[members], minlength=len(chosen) * len(groups)).reshape(shape)
    nobody = len(voters)
    first = np.full(len(chosen) * len(groups), nobody)
    np.minimum.at(first, cell, members)
    return np.append(voters, len(pool.unit))[_winners(total, first.reshape(shape), nobody)]


def _scored(pool: Pool) -> Ints:
    """The answers that selections by score choose from: a lone one needs no score."""
    lone = np.count_nonzero(pool.votes) == 1
    return np.flatnonzero(pool.votes & (lone | np.isfinite(pool.score)))


def _members(pool: Pool, chosen: Ints, voters: Ints) -> tuple[Ints, Ints]:
    """Pairs (row of chosen, index into voters) of every voter whose unit the row names."""
    order = np.argsort(pool.unit[voters], kind="stable")
    size = np.bincount(pool.unit[voters], minlength=pool.units)
    start = np.cumsum(size) - size
    counts = size[chosen].ravel()
    rows = np.repeat(np.arange(chosen.size) // chosen.shape[1], counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return rows, order[np.repeat(start[chosen].ravel(), counts) + within]


def _winners(total: npt.NDArray[np.number], first: npt.NDArray[np.integer], nobody: int) -> Ints:
    """For each row the first voter of the winning group; `nobody` where no one voted.

    Sums that differ by rounding alone are a tie: it goes to the group seen first.
    """
    counted = np.where(first < nobody, total, -np.inf)
    largest = counted.max(axis=1, keepdims=True)
    slack = TIE * np.where(np.isfinite(largest), np.abs(largest), 0.0)
    winners: Ints = np.where(counted >= largest - slack, first, nobody).min(axis=1)
    return winners


def sizes(n: int, width: int = 1) -> list[int]:
    """The n that a curve is drawn at: 1, 2, 4, ... whole units, and n."""
    units = n // width
    return [width * k for k in sorted({*(2**i for i in range(units.bit_length())), units})]


def curve(run: Records, at: Sequence[int] | None = None, resamples: int = RESAMPLES, seed: int = 0) -> pd.DataFrame:
    """One run -> problem_id, selection, n, correct: the probability that a run of n candidates answers rightly.

    at: the n wanted (None: powers of two units, and the run's own). A run that is neither independent samples nor
    independent subtrees has no valid smaller run, so only its own n may be asked for. Without scores there is no
    best and no weighted.
    """
    n = int(run.runs.iloc[0]["n"])
    unit = width(run) or n
    wanted = list(at) if at is not None else sizes(n, unit)
    for k in wanted:
        _check(k, n, unit, str(run.runs.iloc[0]["path"]))
    kinds = selections(run)
    drawn = {k: subsets(n // unit, k // unit, resamples, seed) for k in wanted}
    rows = [
        (id, kind, k, estimated(kind, pool, k // unit, drawn[k]))
        for id, pool in pools(run).items()
        for k in wanted
        for kind in kinds
    ]
    return pd.DataFrame(rows, columns=["problem_id", "selection", "n", "correct"])


def selections(run: Records) -> list[str]:
    """Those that its candidates allow; the hierarchical one where the run itself ended with it."""
    kinds = [*SELECTIONS, *[HIERARCHICAL] * (run.runs.iloc[0]["selection"] == HIERARCHICAL)]
    scored = bool(run.candidates["score"].notna().any())
    return [kind for kind in kinds if scored or kind in VOTES]


def _check(k: int, n: int, unit: int, path: str) -> None:
    if unit == n and k != n:
        raise RecordsError(f"{path}: a run of n={n} that is one whole says nothing about n={k}")
    if k % unit:
        raise RecordsError(f"{path}: n={k} is not a multiple of width={unit}")
    if not 0 < k <= n:
        raise RecordsError(f"{path}: n={k} is not between 1 and the n={n} of the run")


def estimated(kind: str, pool: Pool, k: int, chosen: Ints) -> float:
    """What a selection comes to on subsets of k units; chosen: as many of these as `subsets` draws."""
    if kind == "pass":
        return any_at_k(pool, k)
    if kind == "best":
        return best_at_k(pool, k)
    if kind == HIERARCHICAL:
        return vote_at_k(finalists(pool), chosen, weighted=True)
    return vote_at_k(pool, chosen, weighted=kind == "weighted")
