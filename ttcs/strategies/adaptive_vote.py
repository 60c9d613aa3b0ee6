from __future__ import annotations

from dataclasses import dataclass

from ttcs.core import Problem, Reduction, Sample, Search, Stopping, Trajectory
from ttcs.strategies.checks import at_least
from ttcs.strategies.votes import settled


@dataclass(frozen=True, slots=True)
class AdaptiveVote:
    """Solutions are drawn one after another until the vote is settled (Aggarwal et al., 2023; Li et al., 2024).

    n: solutions at most. stopping: says when there are enough of them. reduction: how the step scores of a solution
    become the one that it sees, if it reads scores at all; only then the PRM reads each solution as it is drawn.

    The candidates are the first ones of best-of-n with the same seed. As they tell by what they are how many they are,
    fewer of them say nothing about a smaller n.
    """

    n: int
    stopping: Stopping
    reduction: Reduction

    def __post_init__(self) -> None:
        at_least(1, n=self.n)

    def search(self, problem: Problem) -> Search:
        solutions = (Trajectory(problem),) * self.n
        enough = settled(self.stopping, self.reduction, self.n)
        return (yield Sample(solutions, enough=enough, scored=self.stopping.reads_scores))
