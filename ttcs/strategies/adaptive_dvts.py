from __future__ import annotations

from dataclasses import dataclass

from ttcs.core import Parallel, Problem, Search, Stopping, Trajectory
from ttcs.strategies.dvts import DVTS
from ttcs.strategies.votes import settled


@dataclass(frozen=True, slots=True)
class AdaptiveDVTS(DVTS):
    """DVTS whose trees are grown one after another until the vote of their candidates is settled. Our own.

    n: candidates at most, n / width trees. stopping: says when the candidates of the trees so far are enough; those of
    one tree differ in their last step alone, so that it sees fewer independent votes than it counts. All others: see
    `DVTS`, with the trees of which these begin.
    """

    stopping: Stopping

    def search(self, problem: Problem) -> Search:
        trees = (self.grow(Trajectory(problem, subtree=i)) for i in range(self.n // self.width))
        return (yield Parallel(tuple(trees), enough=settled(self.stopping, self.rank, self.n)))
