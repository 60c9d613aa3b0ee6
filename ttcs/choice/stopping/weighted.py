"""Settled for weighted votes: what is left to draw cannot outweigh the answer in front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, inf
from typing import ClassVar

from ttcs.core import Candidate

SLACK = 1e-9  # by how much more than all rounding a lead has to be larger


@dataclass(frozen=True, slots=True)
class Weighted:
    """As `Settled` for votes that are weighted by scores from 0 to 1 (`selection=weighted`): the first beyond the
    papers.

    mean: false: every sample to come may weigh 1, so that the answer is always that of all n, whatever comes. true: all
    of them together are taken to weigh as much as so many samples did on average so far, those without an answer
    counted as nothing; that stops sooner and may stop at another answer.

    As the vote itself it leaves out a sample without a score. An answer that was seen first wins a tie, which is kept.
    """

    mean: bool

    reads_scores: ClassVar[bool] = True

    def __call__(self, drawn: Sequence[Candidate], n: int) -> bool:
        left = n - len(drawn)
        if left <= 0 or not drawn:
            return left <= 0
        sums = weights(drawn)
        front = max(sums, key=sums.__getitem__, default=None)
        if front is None:
            return False
        rest = left * fsum(sums.values()) / len(drawn) if self.mean else float(left)
        rivals = [weight for answer, weight in sums.items() if answer != front]
        return sums[front] - max(rivals, default=0.0) > rest + SLACK


def weights(drawn: Sequence[Candidate]) -> dict[int, float]:
    """Answer -> sum of its scores, the answer seen first first."""
    scores: dict[int, list[float]] = {}
    for sample in drawn:
        if sample.answer is not None and sample.score > -inf:
            scores.setdefault(sample.answer, []).append(sample.score)
    return {answer: fsum(own) for answer, own in scores.items()}
