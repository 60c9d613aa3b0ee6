"""The candidates of one problem, cut into the units that a smaller run would be made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.runs.load import Records, RecordsError

INDEPENDENT = frozenset({"best_of_n"})  # strategies whose candidates are independent samples
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Pool:
    """All candidates of one problem, in the order of the search; arrays of one length.

    units: how many there are to draw subsets of (samples of best-of-N, subtrees of DVTS); unit: which one a candidate
    belongs to. group is 0 where `votes` is false: a candidate without an answer counts towards n and never votes.
    """

    units: int
    unit: Ints
    group: Ints
    votes: Bools
    score: Floats
    correct: Bools

    def only(self, kept: Ints | Bools) -> Pool:
        """With these candidates alone, in as many units."""
        return Pool(
            units=self.units,
            unit=self.unit[kept],
            group=self.group[kept],
            votes=self.votes[kept],
            score=self.score[kept],
            correct=self.correct[kept],
        )


def width(run: Records) -> int | None:
    """Candidates per unit: 1 for independent samples, the size of a subtree, None where a run is one whole.

    A budget ends samples and chains of attempts anywhere, so that none of them is that of a smaller run.
    """
    row = run.runs.iloc[0]
    if row["strategy"] in INDEPENDENT:
        return None if budgeted(row["settings"]) else 1
    if run.candidates.empty or run.candidates["subtree"].isna().all() or _overfull(run):
        return None
    if pd.notna(row["chains"]):
        return None if budgeted(row["settings"]) else int(row["n"] // row["chains"])
    size = row["width"]
    if pd.isna(size):
        size = run.candidates.groupby(["problem_id", "subtree"], sort=False).size().max()
    if row["n"] % size:
        raise RecordsError(f"{row['path']}: n={row['n']} is not a multiple of width={size}")
    return int(size)


def whole_pools(records: Records, scored: bool = False) -> pd.DataFrame:
    """The finished runs of independent samples that have all n of them. scored: only those that have scores."""
    runs = records.runs[records.runs["strategy"].isin(INDEPENDENT) & records.runs["finished"]]
    runs = runs[~runs["settings"].map(budgeted).astype("bool")]
    return (
        runs[runs["run"].isin(records.candidates.loc[records.candidates["score"].notna(), "run"])] if scored else runs
    )


def budgeted(settings: str) -> bool:
    """Whether a run of these settings may have ended before it had its n candidates."""
    return "budget." in settings


def _overfull(run: Records) -> bool:
    """Whether some search ended on its budget with more candidates than n: no smaller run can be cut out of it."""
    return bool((run.candidates.groupby("problem_id").size() > run.runs.iloc[0]["n"]).any())


def pools(run: Records) -> dict[str, Pool]:
    """A pool for every problem of one run, also for those whose search returned no candidate."""
    row = run.runs.iloc[0]
    size = width(run) or int(row["n"])
    by_problem = dict(iter(run.candidates.groupby("problem_id", sort=False)))
    empty = run.candidates.iloc[:0]
    n = int(row["n"])
    found = {str(id): _pool(by_problem.get(id, empty), n // size, size) for id in run.problems["problem_id"]}
    for id, pool in found.items():
        if pool.units > 1 and (len(pool.unit) > n or (len(pool.unit) and pool.unit.max() >= pool.units)):
            raise RecordsError(f"{row['path']}: problem {id} has {len(pool.unit)} candidates, more than n={n} allows")
    return found


def _pool(candidates: pd.DataFrame, units: int, size: int) -> Pool:
    index = np.arange(len(candidates))
    subtrees = candidates["subtree"]
    whole = np.zeros_like(index) if units == 1 else index // size
    unit = subtrees.to_numpy(np.int64) if units > 1 and subtrees.notna().all() else whole
    group = candidates["group"]
    return Pool(
        units=units,
        unit=unit.astype(np.int64),
        group=group.fillna(0).to_numpy(np.int64),
        votes=group.notna().to_numpy(np.bool_),
        score=candidates["score"].fillna(-np.inf).to_numpy(np.float64),
        correct=candidates["correct"].fillna(False).to_numpy(np.bool_),
    )
