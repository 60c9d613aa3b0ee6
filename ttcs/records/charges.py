"""What a smaller run would have computed, as a share of what the run that holds it did.

Decoded tokens go with the number of candidates. What is only read does not: the prompt of independent samples is read
once, and a verifier with a cache reads a beginning that several solutions share once, so that a run of 64 reads less
than 16 times as much as one of 4. How much of its reading a cache has saved is on record, and so is what there is to
save: the prefixes that its solutions share, step by step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np

from ttcs.records.interval import Floats
from ttcs.records.prefixes import Prefixes
from ttcs.records.subsets import Ints, top_weights

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
        within = np.concatenate(([0.0], np.cumsum(top_weights(self.units, k))))
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


def _known(value: float | None) -> float:
    return UNKNOWN if value is None or isnan(value) else float(value)
