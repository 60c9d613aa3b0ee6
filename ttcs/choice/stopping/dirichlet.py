"""The Dirichlet rule: the answer in front is ahead of all others, not only of the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ttcs.choice.stopping.votes import votes
from ttcs.core import Candidate

NODES = 128  # of the quadrature: an error below 1e-9 for votes up to 10,000
SPREADS = 10  # standard deviations to either side of the mean beyond which nothing is left to integrate

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Dirichlet:
    """Enough once the answer in front is the likeliest of all that were seen, with more than this probability
    (Aggarwal et al., 2023, Adaptive-Consistency, section 3: the rule that `Beta` is the approximation of).

    The answers' shares are taken to be distributed uniformly before the first vote, so as Dirichlet(votes + 1) after
    it. Where only one was seen, another one without a vote is thought of beside it: of two answers the two rules say
    the same. Nothing is drawn: the probability is an integral in one variable. While nothing has an answer it is never
    enough.
    """

    threshold: float

    reads_scores: ClassVar[bool] = False

    def __call__(self, drawn: Sequence[Candidate], n: int) -> bool:
        counted = tuple(sorted(votes(drawn).values(), reverse=True))
        return bool(counted) and probability(counted) > self.threshold


@lru_cache(maxsize=1 << 16)
def probability(counted: tuple[int, ...]) -> float:
    """That the first of these answers has the largest share. counted: votes, most first; at least one (see above).

    Shares are gamma variables of shape votes + 1 over their sum, and the largest of those is looked for: the integral
    of the first one's density times the chances that the others are below, by Gauss-Legendre quadrature.
    """
    first, *others = counted
    at, weights = _nodes(first + 1)
    below, mass = _below(first, at)
    return float(np.sum(weights * mass * np.prod(below[others or [0]], axis=0)))


def _below(most: int, at: Floats) -> tuple[Floats, Floats]:
    """Row v: the chance that a gamma variable of shape v + 1 is below each point, v = 0 .. most; and the density of
    the last one.

    Both are of Poisson variables: shape v + 1 is above x where fewer than v + 1 events happen within x.
    """
    counts = np.arange(most + 1)[:, None]
    factorials = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, most + 1)))))[:, None]
    masses = np.exp(counts * np.log(at) - at - factorials)
    return 1.0 - np.cumsum(masses, axis=0), masses[-1]


def _nodes(shape: int) -> tuple[Floats, Floats]:
    """Points and weights over all that a gamma variable of this shape comes to."""
    nodes, weights = _legendre()
    spread = SPREADS * sqrt(shape)
    low, high = max(0.0, shape - spread), shape + spread + 3 * SPREADS  # the upper tail is the longer one
    return low + (high - low) * (nodes + 1) / 2, weights * (high - low) / 2


@lru_cache(maxsize=1)
def _legendre() -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return nodes, weights
