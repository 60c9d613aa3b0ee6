"""The charges of smaller runs (`ttcs.records.charges`) as columns beside their estimates."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.estimates.pool import INDEPENDENT, pools, width
from analysis.papers import chains
from analysis.runs.load import Records
from ttcs.records.charges import Shared, Spent, policy_share, prm_share


def shares(estimates: pd.DataFrame, run: Records) -> pd.DataFrame:
    """Columns policy, prm for the rows of estimates: share of the FLOPs of the run, as `share` is of its tokens.

    estimates: problem_id, n and share, and of runs of chains (`analysis.papers.chains`) chains and attempts.
    """
    whole = estimates["share"].to_numpy(np.float64)
    if (size := width(run)) is None or (whole == 1).all():
        return pd.DataFrame({"policy": whole, "prm": whole}, index=estimates.index)
    spent = {str(row["problem_id"]): Spent.of(row.to_dict()) for _, row in run.problems.iterrows()}
    chained = "chains" in estimates
    k = estimates["chains"] if chained else estimates["n"] // size
    attempts = estimates["attempts"] if chained else pd.Series(size, index=estimates.index)
    alone = run.runs.iloc[0]["strategy"] in INDEPENDENT
    shared, known = _Pools(run, chained and not alone), dict[tuple[str, int, int], tuple[float, float]]()
    rows = list(zip(estimates["problem_id"], k.astype(int), attempts.astype(int), whole, strict=True))
    for id, units, depth, share in rows:
        if (id, units, depth) not in known:
            policy = policy_share(spent[id], share) if alone else share
            every, part = shared.of(id, None), shared.of(id, depth)
            known[id, units, depth] = policy, prm_share(spent[id], every, part, units, share)
    return pd.DataFrame([known[row[:3]] for row in rows], columns=["policy", "prm"], index=estimates.index)


class _Pools:
    """What the solutions of each problem share, in the units of the run; of chains, those of the first attempts."""

    def __init__(self, run: Records, chained: bool) -> None:
        table = chains.attempts(run) if chained else run.candidates.assign(attempt=1)
        self._units = {id: pool.units for id, pool in pools(run).items()}
        self._unit = {id: pool.unit for id, pool in pools(run).items()}
        ordered = table.sort_values(["problem_id", "index"], kind="stable")
        self._rows = dict(iter(ordered[["problem_id", "attempt", "prefixes"]].groupby("problem_id", sort=False)))
        self._chained = chained
        self._known: dict[tuple[str, int | None], Shared] = {}

    def of(self, problem: str, attempts: int | None) -> Shared:
        """attempts: of each chain (None: all)."""
        key = problem, attempts if self._chained else None
        if key not in self._known:
            self._known[key] = self._made(*key)
        return self._known[key]

    def _made(self, problem: str, attempts: int | None) -> Shared:
        if problem not in self._rows:
            return Shared.of(self._units[problem], (), ())
        rows = self._rows[problem]
        read = [
            (unit, path)
            for unit, attempt, path in zip(self._unit[problem], rows["attempt"], rows["prefixes"], strict=True)
            if (attempts is None or attempt <= attempts) and path
        ]
        return Shared.of(self._units[problem], [int(unit) for unit, _ in read], [path for _, path in read])
