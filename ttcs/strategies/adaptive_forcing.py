from __future__ import annotations

from dataclasses import dataclass

from ttcs.core import Parallel, Problem, Reduction, Score, Search, Stopping, Trajectory
from ttcs.strategies.budget_forcing import BudgetForcing
from ttcs.strategies.thinking import conclude, think
from ttcs.strategies.votes import settled


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptiveForcing(BudgetForcing):
    """Budget forcing, one solution after another until the vote is settled. Our own.

    n: solutions at most. stopping: says when there are enough of them. reduction: how the step scores of a solution
    become the one that it sees, if it reads scores at all. All others: see `BudgetForcing`.
    """

    stopping: Stopping
    reduction: Reduction

    def search(self, problem: Problem) -> Search:
        forced = (self.force(Trajectory(problem, subtree=i)) for i in range(self.n))
        return (yield Parallel(tuple(forced), enough=settled(self.stopping, self.reduction, self.n)))

    def force(self, start: Trajectory) -> Search:
        """One of them."""
        thought = yield from think([start], self.thinking, self.answer, self.text, self.suppressed)
        solution = tuple((yield from conclude(thought, self.thinking + self.answer)))
        return (yield Score(solution)) if self.stopping.reads_scores else solution
