from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp

from ttcs.core import Problem, Reduction, Sample, Score, Search, Trajectory
from ttcs.errors import UserError
from ttcs.strategies.checks import at_least


@dataclass(frozen=True, slots=True)
class Rebase:
    """Reward-balanced tree search (Wu et al., 2024): the better a node, the more children it gets.

    n: the width: solutions in the end, and children in all at every step; a finished solution takes one off it.
    balance: temperature of the softmax over the scores of the nodes (T_b, 0.2 in s1). max_steps: depth at most. rank:
    step scores -> the score of a node.
    """

    n: int
    balance: float
    max_steps: int
    rank: Reduction

    def __post_init__(self) -> None:
        at_least(1, n=self.n, max_steps=self.max_steps)
        if self.balance <= 0:
            raise UserError(f"balance={self.balance} is not more than 0")

    def search(self, problem: Problem) -> Search:
        parents, finished = [Trajectory(problem)] * self.n, list[Trajectory]()
        for _ in range(self.max_steps):
            sampled = yield Sample(tuple(parents), max_steps=1)
            children = yield Score(sampled)
            finished += [child for child in children if child.finished]
            live = [child for child in children if child.live]
            width = self.n - len(finished)
            if not live or not width:
                break
            shares = shared_out(width, [self.rank(child.scores) for child in live], self.balance)
            parents = [child for child, share in zip(live, shares, strict=True) for _ in range(share)]
        return tuple(finished)


def shared_out(width: int, scores: Sequence[float], balance: float) -> list[int]:
    """Children of each node, `width` in all: in proportion to softmax(score / balance), from the best node down, each
    share rounded up as far as the width that remains goes."""
    best = max(scores)
    weights = [1.0 if score == best else exp((score - best) / balance) for score in scores]  # also where all are -inf
    shares, rest = [0] * len(scores), sum(weights)
    for i in sorted(range(len(scores)), key=lambda i: -weights[i]):
        shares[i] = min(width, ceil(width * weights[i] / rest)) if rest > 0 else 0
        width, rest = width - shares[i], rest - weights[i]
    return shares
