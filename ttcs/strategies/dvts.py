from __future__ import annotations

from dataclasses import dataclass

from ttcs.core import Parallel, Problem, Reduction, Sample, Score, Search, Trajectory
from ttcs.strategies.checks import at_least, multiple


@dataclass(frozen=True, slots=True)
class DVTS:
    """Diverse verifier tree search: n / width independent greedy trees (Beeching, Tunstall and Rush, 2024).

    n: candidates in the end: of each tree the width siblings of its last step, of which only the finished ones can be
    an answer. width: children a node gets, of which the best is kept (the post's M). max_steps: depth at most.
    rank: step scores -> what the kept one is the best in.
    """

    n: int
    width: int
    max_steps: int
    rank: Reduction

    def __post_init__(self) -> None:
        multiple(self.n, width=self.width)
        at_least(1, max_steps=self.max_steps)

    def search(self, problem: Problem) -> Search:
        return (yield Parallel(tuple(self.grow(Trajectory(problem, subtree=i)) for i in range(self.n // self.width))))

    def grow(self, node: Trajectory) -> Search:
        """The siblings of the last step of one tree."""
        siblings: tuple[Trajectory, ...] = ()
        for _ in range(self.max_steps):
            sampled = yield Sample((node,) * self.width, max_steps=1)
            siblings = yield Score(sampled)
            able = [child for child in siblings if child.live or child.finished]
            node = max(able, key=lambda child: self.rank(child.scores), default=node)
            if not able or node.finished:
                break
        return siblings
