from __future__ import annotations

from dataclasses import dataclass

from ttcs.core import Problem, Reduction, Sample, Score, Search, Trajectory
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
        nodes = [Trajectory(problem, subtree=i) for i in range(self.n // self.width)]
        siblings: dict[int | None, tuple[Trajectory, ...]] = {}
        for _ in range(self.max_steps):
            sampled = yield Sample(tuple(node for node in nodes for _ in range(self.width)), max_steps=1)
            children = yield Score(sampled)
            families = [children[i : i + self.width] for i in range(0, len(children), self.width)]
            siblings |= {family[0].subtree: family for family in families}
            nodes = [best for family in families if (best := self.best(family)) is not None and best.live]
            if not nodes:
                break
        return tuple(child for family in siblings.values() for child in family)

    def best(self, family: tuple[Trajectory, ...]) -> Trajectory | None:
        """The best that is complete or can go on; None if all were cut off."""
        able = [child for child in family if child.live or child.finished]
        return max(able, key=lambda child: self.rank(child.scores), default=None)
