"""How hard a problem is for a policy, in bins: 1 is the easiest (Snell et al., 2024, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ttcs.errors import UserError


@dataclass(frozen=True, slots=True)
class Pool:
    """Independent samples of one problem: whether each is correct, and the PRM's final score of each that has one."""

    problem_id: str
    level: int | None
    correct: tuple[bool, ...]
    scores: tuple[float, ...]


class Difficulty(Protocol):
    """Pools -> a bin each, in the same order."""

    def __call__(self, pools: Sequence[Pool]) -> list[int]: ...


@dataclass(frozen=True, slots=True)
class Oracle:
    """Quantile bins of pass@1 over the pool: needs the reference answers."""

    bins: int = 5

    def value(self, pool: Pool) -> float:
        if not pool.correct:
            raise UserError(f"problem {pool.problem_id} has no samples to estimate pass@1 from")
        return sum(pool.correct) / len(pool.correct)

    def __call__(self, pools: Sequence[Pool]) -> list[int]:
        return quantile_bins([self.value(pool) for pool in pools], self.bins)


@dataclass(frozen=True, slots=True)
class Predicted:
    """Quantile bins of the mean PRM score over the pool: needs no reference answer."""

    bins: int = 5

    def value(self, pool: Pool) -> float:
        if not pool.scores:
            raise UserError(f"problem {pool.problem_id} has no scored samples to predict its difficulty from")
        return sum(pool.scores) / len(pool.scores)

    def __call__(self, pools: Sequence[Pool]) -> list[int]:
        return quantile_bins([self.value(pool) for pool in pools], self.bins)


@dataclass(frozen=True, slots=True)
class Annotated:
    """The data set's own levels, 1 .. bins: they are bins already, however many problems each holds."""

    bins: int = 5

    def value(self, pool: Pool) -> float:
        if pool.level is None or not 1 <= pool.level <= self.bins:
            raise UserError(f"problem {pool.problem_id} has level {pool.level}, not one of 1 to {self.bins}")
        return pool.level

    def __call__(self, pools: Sequence[Pool]) -> list[int]:
        return [int(self.value(pool)) for pool in pools]


def quantile_bins(values: Sequence[float], bins: int) -> list[int]:
    """Cut at the quantiles; the highest values are bin 1.

    Equal values share a bin, whatever side of a threshold they fall on, so ties make bins uneven or even empty.
    """
    if not values:
        return []
    thresholds = np.quantile(values, np.arange(1, bins) / bins)
    passed = np.searchsorted(thresholds, values, side="right")
    return [bins - int(count) for count in passed]
