from __future__ import annotations

from dataclasses import dataclass

from ttcs.core import Problem, Sample, Search, Trajectory
from ttcs.strategies.checks import at_least
from ttcs.strategies.thinking import conclude, ended


@dataclass(frozen=True, slots=True)
class RejectionSampling:
    """Solutions are drawn until one has thought for no more than the budget (s1, Muennighoff et al., 2025).

    n: tries at most. thinking: the budget, in tokens; a try is given up at the first token beyond it, so that it costs
    no more. answer: tokens kept for the answer. All tries are candidates, so that they are on record; those that were
    given up have no answer, and neither has the problem if all of them were.
    """

    n: int
    thinking: int
    answer: int

    def __post_init__(self) -> None:
        at_least(1, n=self.n, thinking=self.thinking, answer=self.answer)

    def search(self, problem: Problem) -> Search:
        rejected: list[Trajectory] = []
        for _ in range(self.n):
            # One token more, as a thinking of exactly the budget has yet to be ended.
            (run,) = yield Sample((Trajectory(problem),), thinking=self.thinking + 1, answer=self.answer)
            if ended(run) and run.thinking_tokens <= self.thinking:
                return (*rejected, *(yield from conclude([run], self.thinking + self.answer)))
            rejected.append(run)
        return tuple(rejected)
