"""Settled: what is left to draw cannot change the answer any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ttcs.choice.stopping.votes import votes
from ttcs.core import Candidate


@dataclass(frozen=True, slots=True)
class Settled:
    """Enough once nobody can catch up with the answer in front within n: always the answer of the vote of all n.

    A tie goes to the answer that was seen first, so one seen later has to overtake, and one seen earlier only to draw
    level. It is the vote of `selection=majority` that is settled, not a weighted one.
    """

    reads_scores: ClassVar[bool] = False

    def __call__(self, drawn: Sequence[Candidate], n: int) -> bool:
        counted, left = votes(drawn), n - len(drawn)
        front = max(counted, key=counted.__getitem__, default=None)
        if front is None:
            return left <= 0
        earlier = True
        for answer, own in counted.items():
            if answer == front:
                earlier = False
            elif own + left + earlier > counted[front]:
                return False
        return left <= counted[front]  # an answer that was never seen yet
