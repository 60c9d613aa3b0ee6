from __future__ import annotations

from dataclasses import dataclass

from ttcs.core import Problem, Sample, Search, Trajectory


@dataclass(frozen=True, slots=True)
class Greedy:
    """One solution at temperature 0: the baseline without test-time scaling."""

    def search(self, problem: Problem) -> Search:
        return (yield Sample((Trajectory(problem),), temperature=0.0))
