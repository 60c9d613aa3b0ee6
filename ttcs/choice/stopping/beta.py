"""The Beta rule: the two leading answers are far enough apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb, exp, lgamma, log
from typing import ClassVar

from ttcs.choice.stopping.votes import leaders, votes
from ttcs.core import Candidate

EXACT = 1000  # tosses up to which the binomial coefficient is computed as a whole number; its time grows with them


@dataclass(frozen=True, slots=True)
class Beta:
    """Enough once the answer in front is also the likelier one of the two leading answers, with more than this
    probability (Aggarwal et al., 2023, Adaptive-Consistency, section 3).

    Their shares among all samples to come are taken to be distributed uniformly before the first vote; the other
    answers are left out of account. While nothing has an answer it is never enough.
    """

    threshold: float

    reads_scores: ClassVar[bool] = False

    def __call__(self, drawn: Sequence[Candidate], n: int) -> bool:
        first, second = leaders(votes(drawn))
        return first > 0 and probability(first, second) > self.threshold


@lru_cache(maxsize=1 << 16)
def probability(first: int, second: int) -> float:
    """P(p1 > p2) after so many votes, first >= second: 1 - I_{1/2}(first + 1, second + 1).

    For whole numbers that is the chance that of first + second + 1 tosses of a fair coin more than `second` are heads.
    """
    tosses = first + second + 1
    mass, tail = _mass(tosses, second), 0.0
    for heads in range(second, -1, -1):
        tail += mass
        mass = mass * heads / (tosses - heads + 1)
        if mass < tail * 1e-17:
            break
    return 1.0 - tail


def _mass(tosses: int, heads: int) -> float:
    """The chance of exactly so many heads."""
    if tosses <= EXACT:
        return comb(tosses, heads) / (1 << tosses)
    return exp(lgamma(tosses + 1) - lgamma(heads + 1) - lgamma(tosses - heads + 1) - tosses * log(2))
