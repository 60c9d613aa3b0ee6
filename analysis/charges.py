"""What a smaller run would have computed, as a share of what the run that holds it did.

Decoded tokens go with the number of candidates. What is only read does not: the prompt of independent samples is read
once, and a verifier with a cache reads a beginning that several solutions share once, so that a run of 64 reads less
than 16 times as much as one of 4. How much of its reading a cache has saved is on record, and so is what there is to
save: the prefixes that its solutions share, step by step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis import chains, estimate
from analysis.load import Records
from analysis.pool import INDEPENDENT, Floats, Ints, pools, width
from analysis.prefixes import Prefixes

UNKNOWN = float("nan")


@dataclass(frozen=True, slots=True)
class Spent:
    """What one problem's search computed and read from caches, in tokens (nan: not on record, as in older records)."""

    prompt_tokens: float
    cached_tokens: float
    policy_calls: float
    decoded_tokens: float
    prm_tokens: float
    prm_cached_tokens: float
    prm_calls: float

    @classmethod
    def of(cls, ledger: Mapping[Any, Any]) -> Spent:
        return cls(**{name: _known(ledger.get(name)) for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class Shared:
    """What the solutions of one problem that a verifier has read share.

    held: for each prefix in how many units it is. tokens: of each, beyond the prefix before it. length: of a solution,
    the mean.
    """

    units: int
    held: Ints
    tokens: Floats
    length: float

    @classmethod
    def of(cls, units: int, unit: Sequence[int], solutions: Sequence[Prefixes]) -> Shared:
        """unit: of each solution."""
        pairs = {(number, one) for one, path in zip(unit, solutions, strict=True) for number, _ in path}
        sizes = dict(pair for path in solutions for pair in path)
        held = dict.fromkeys(sizes, 0)
        for number, _ in pairs:
            held[number] += 1
        total = sum(tokens for path in solutions for _, tokens in path)
        counts, tokens = np.array(list(held.values()), np.int64), np.array(list(sizes.values()), np.float64)
        return cls(units, counts, tokens, total / max(1, len(solutions)))

    def read(self, k: int) -> float:
        """Tokens of the different prefixes in a random subset of k units, the expectation."""
        within = np.concatenate(([0.0], np.cumsum(estimate.top_weights(self.units, k))))
        return float(self.tokens @ within[self.held])


def policy_share(spent: Spent, share: float) -> float:
    """Of independent samples: the prompt is read as often as it was, once where a cache has kept it.

    share: of the decoded tokens.
    """
    prompt = spent.prompt_tokens / spent.policy_calls if spent.policy_calls else UNKNOWN
    computed = spent.prompt_tokens - spent.cached_tokens
    once = min(prompt, computed)
    found = (once + (computed - once + spent.decoded_tokens) * share) / (computed + spent.decoded_tokens)
    return float(found) if np.isfinite(found) else share


def prm_share(spent: Spent, whole: Shared, part: Shared, k: int, share: float) -> float:
    """Of the verifier's reading of the whole run that of k units; part: of chains, with the attempts that are read.

    Between two ends: a verifier without a cache reads every solution anew, `share` of them, and one whose cache misses
    nothing reads the problem once and each prefix once. Where in between is told by what it has computed.
    """
    if not spent.prm_tokens or not spent.prm_calls or np.isnan(spent.prm_calls + spent.prm_cached_tokens):
        return share
    asked = spent.prm_tokens + spent.prm_cached_tokens
    problem = max(0.0, asked / spent.prm_calls - whole.length)
    least, some = problem + whole.read(whole.units), problem + part.read(k)
    if asked <= least or least == 0:
        return share
    missed = min(1.0, max(0.0, (spent.prm_tokens - least) / (asked - least)))
    return (missed * asked * share + (1 - missed) * some) / (missed * asked + (1 - missed) * least)


def shares(estimates: pd.DataFrame, run: Records) -> pd.DataFrame:
    """Columns policy, prm for the rows of estimates: share of the FLOPs of the run, as `share` is of its tokens.

    estimates: problem_id, n and share, and of runs of chains (`analysis.chains`) chains and attempts.
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


def _known(value: float | None) -> float:
    return UNKNOWN if value is None or pd.isna(value) else float(value)
