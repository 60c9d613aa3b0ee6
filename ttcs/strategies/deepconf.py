from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import floor, inf

from ttcs.core import Problem, Sample, Search, Trajectory
from ttcs.errors import UserError
from ttcs.strategies.checks import at_least

Drawn = tuple[Trajectory, ...]
Groups = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class DeepConf:
    """Solutions of which the policy becomes too unsure are given up, and a consensus ends the drawing: DeepConf online
    (Fu et al., 2025, section 3.3).

    n: solutions at most. warm_up: solutions that are drawn whole, from whose confidence a threshold is made (16 in the
    paper). keep: the share of these that would have been kept by it (0.1 or 0.9 in the paper): a later solution ends
    as soon as the mean over a window of tokens falls below. confidence: likeliest tokens that it is of (20; k in the
    paper). window: tokens (2048). consensus: share of the weight that one answer has when it is enough (0.95), of the
    warm-up alone as of all that are drawn after it; a finished solution weighs as much as its mean confidence.

    All are candidates: what was given up has no answer, and cost what it cost.
    """

    n: int
    warm_up: int
    keep: float
    confidence: int
    window: int
    consensus: float

    def __post_init__(self) -> None:
        at_least(1, n=self.n, warm_up=self.warm_up, confidence=self.confidence, window=self.window)
        if self.warm_up > self.n:
            raise UserError(f"warm_up={self.warm_up} is more than n={self.n}")

    def search(self, problem: Problem) -> Search:
        start = (Trajectory(problem),)
        first = yield Sample(start * self.warm_up, confidence=self.confidence, least=(-inf, self.window))
        later = yield Sample(
            start * (self.n - self.warm_up),
            confidence=self.confidence,
            least=(self.threshold(first), self.window),
            enough=partial(self.enough, first),
            seen=first,
        )
        return (*first, *later)

    def threshold(self, drawn: Drawn) -> float:
        """So that the share `keep` of these is not below it; of one shorter than a window its mean is its least."""
        told = [one.confidence.of("least") for one in drawn if one.confidence is not None]
        return percentile([least for least in told if least is not None], self.keep)

    def enough(self, first: Drawn, drawn: Drawn, groups: Groups) -> bool:
        weights: dict[int, float] = defaultdict(float)
        for one, group in zip((*first, *drawn), groups, strict=True):
            if group is not None and one.confidence is not None:
                weights[group] += one.confidence.mean
        return max(weights.values(), default=0.0) >= self.consensus * sum(weights.values()) > 0


def percentile(values: Sequence[float], above: float) -> float:
    """The value that so large a share is above, interpolated between the two nearest ones; -inf where there is none."""
    if not values:
        return -inf
    ordered = sorted(values)
    place = (1 - above) * (len(ordered) - 1)
    low = ordered[floor(place)]
    high = ordered[min(floor(place) + 1, len(ordered) - 1)]
    return low + (high - low) * (place - floor(place))
