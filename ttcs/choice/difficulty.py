"""How hard a problem is for a policy, in bins: 1 is the easiest (Snell et al., 2024, section 3.2)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from ttcs.errors import UserError
from ttcs.search.ledger import Ledger

Of = TypeVar("Of")


class NoLevelsError(UserError):
    """The problem set has no levels at all, so there is nothing to say by level."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Independent samples of one problem: whether each is correct, and the PRM's final score of each that has one.

    scores: in the order of the samples; None: that sample has no score. ledger: what all of them cost together.
    """

    problem_id: str
    level: int | None
    correct: tuple[bool, ...]
    scores: tuple[float | None, ...]
    ledger: Ledger = field(default_factory=Ledger)


@dataclass(frozen=True, slots=True)
class Cost:
    """What the estimates took per problem. The paper leaves it out of the budget; whoever compares should not."""

    tokens: float
    flops: float


class Difficulty(Protocol):
    """Pools -> a bin each, in the same order; and the cost of finding them."""

    def __call__(self, pools: Sequence[Pool]) -> list[int]: ...

    def cost(self, pools: Sequence[Pool]) -> Cost: ...


@dataclass(frozen=True, slots=True)
class Oracle:
    """Quantile bins of pass@1 over the first `samples` of the pool (None: all): needs the reference answers."""

    bins: int = 5
    samples: int | None = None

    def value(self, pool: Pool) -> float:
        if not pool.correct:
            raise UserError(f"problem {pool.problem_id} has no samples to estimate pass@1 from")
        used = _first(pool, pool.correct, self.samples)
        return sum(used) / len(used)

    def __call__(self, pools: Sequence[Pool]) -> list[int]:
        return quantile_bins([self.value(pool) for pool in pools], self.bins)

    def cost(self, pools: Sequence[Pool]) -> Cost:
        """The policy's alone: references take no PRM."""
        return _cost(pools, self.samples, prm=False)


@dataclass(frozen=True, slots=True)
class Predicted:
    """Quantile bins of the mean PRM score over the first `samples` of the pool (None: all): needs no references."""

    bins: int = 5
    samples: int | None = None

    def value(self, pool: Pool) -> float:
        scores = [score for score in _first(pool, pool.scores, self.samples) if score is not None]
        if not scores:
            raise UserError(f"problem {pool.problem_id} has no scored samples to predict its difficulty from")
        return sum(scores) / len(scores)

    def __call__(self, pools: Sequence[Pool]) -> list[int]:
        return quantile_bins([self.value(pool) for pool in pools], self.bins)

    def cost(self, pools: Sequence[Pool]) -> Cost:
        return _cost(pools, self.samples, prm=True)


@dataclass(frozen=True, slots=True)
class Annotated:
    """The data set's own levels, 1 .. bins: they are bins already, however many problems each holds."""

    bins: int = 5

    def value(self, pool: Pool) -> float:
        if pool.level is None or not 1 <= pool.level <= self.bins:
            raise UserError(f"problem {pool.problem_id} has level {pool.level}, not one of 1 to {self.bins}")
        return pool.level

    def __call__(self, pools: Sequence[Pool]) -> list[int]:
        if pools and all(pool.level is None for pool in pools):
            raise NoLevelsError("the problems have no levels (dataset.columns.level names a column that does)")
        return [int(self.value(pool)) for pool in pools]

    def cost(self, pools: Sequence[Pool]) -> Cost:
        return Cost(0.0, 0.0)


def quantile_bins(values: Sequence[float], bins: int) -> list[int]:
    """Cut at the quantiles; the highest values are bin 1.

    Equal values share a bin, whatever side of a threshold they fall on, so ties make bins uneven or even empty.
    """
    return cut(values, thresholds(values, bins)) if values else []


def thresholds(values: Sequence[float], bins: int) -> list[float]:
    """The bins - 1 quantiles that cut `values` into equal parts, ascending; each the least of the values above it."""
    ordered = sorted(values)
    return [ordered[-(-i * (len(ordered) - 1) // bins)] for i in range(1, bins)]


def cut(values: Sequence[float], at: Sequence[float]) -> list[int]:
    """Values -> bins: a value at a threshold is above it, so it goes to the easier bin."""
    return [len(at) + 1 - bisect_right(at, value) for value in values]


def _first(pool: Pool, of: Sequence[Of], samples: int | None) -> Sequence[Of]:
    if samples is not None and not 1 <= samples <= len(of):
        raise UserError(f"difficulty.samples={samples} is not one of 1 to {len(of)}, the samples of {pool.problem_id}")
    return of[:samples]


def _cost(pools: Sequence[Pool], samples: int | None, *, prm: bool) -> Cost:
    """Mean over the problems; m of n samples are charged m / n of what the pool cost, no samples nothing."""
    tokens = flops = 0.0
    for pool in pools:
        size = max(len(pool.correct), len(pool.scores))
        share = (size if samples is None else samples) / size if size else 0.0
        tokens += share * pool.ledger.decoded_tokens
        flops += share * (pool.ledger.policy_flops + prm * pool.ledger.prm_flops)
    return Cost(tokens / max(1, len(pools)), flops / max(1, len(pools)))
