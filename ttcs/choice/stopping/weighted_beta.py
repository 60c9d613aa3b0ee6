"""The Beta rule for weighted votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from scipy.special import betainc

from ttcs.choice.stopping.weighted import weights
from ttcs.core import Candidate


@dataclass(frozen=True, slots=True)
class WeightedBeta:
    """As `Beta` where a sample counts as much of a vote as its score says (`selection=weighted`): ours, after
    Aggarwal et al. (2023).

    P(p1 > p2) = 1 - I_{1/2}(w1 + 1, w2 + 1) > threshold, of the two largest sums of scores from 0 to 1. A sample with a
    score near 0 tells next to nothing, so it takes more samples than votes of 1 each would.
    """

    threshold: float

    reads_scores: ClassVar[bool] = True

    def __call__(self, drawn: Sequence[Candidate], n: int) -> bool:
        first, second, *_ = *sorted(weights(drawn).values(), reverse=True), 0.0, 0.0
        return first > 0 and 1.0 - float(betainc(first + 1, second + 1, 0.5)) > self.threshold
