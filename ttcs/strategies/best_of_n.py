from __future__ import annotations

from dataclasses import dataclass

from ttcs.core import Problem, Sample, Search, Trajectory
from ttcs.strategies.checks import at_least


@dataclass(frozen=True, slots=True)
class BestOfN:
    """n independent solutions; the selection does the rest (Snell et al., 2024, section 5.2; Wang et al., 2023).

    All n are returned, finished or not, so the first m of them are exactly a run with n = m.
    """

    n: int

    def __post_init__(self) -> None:
        at_least(1, n=self.n)

    def search(self, problem: Problem) -> Search:
        return (yield Sample((Trajectory(problem),) * self.n))
