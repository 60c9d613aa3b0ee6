from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from ttcs.core import Problem, Sample, Score, Search, Strategy, Trajectory
from ttcs.strategies.checks import at_least


class Table(Protocol):
    """Which strategy is best where (ttcs.choice.optimal)."""

    def check(self, samples: int, n: int) -> None: ...

    def choose(self, difficulty: float, n: int) -> Strategy: ...


@dataclass(frozen=True, slots=True)
class ComputeOptimal:
    """The strategy that did best at this n on problems as difficult as this one (Snell et al., 2024, section 3.2).

    n: candidates at most. samples: whole solutions drawn first, whose mean final PRM score is the predicted difficulty;
    they are charged like all others and stay candidates. table: what was fitted; it chooses how n - samples are spent,
    and may leave some of them unspent where more did no better.
    """

    n: int
    samples: int
    table: Table

    def __post_init__(self) -> None:
        at_least(1, n=self.n, samples=self.samples)
        self.table.check(self.samples, self.n - self.samples)

    def search(self, problem: Problem) -> Search:
        drawn = yield Sample((Trajectory(problem),) * self.samples)
        scored = yield Score(tuple(sample for sample in drawn if sample.finished))
        inner = self.table.choose(mean_final_score(scored), self.n - self.samples)
        found = yield from inner.search(problem)
        # Together they are one whole: no subtree of theirs is a smaller run of this strategy.
        return (*drawn, *(replace(candidate, subtree=None) for candidate in found))


def mean_final_score(scored: tuple[Trajectory, ...]) -> float:
    """0, the hardest there is, where no sample came to an end."""
    finals = [trajectory.scores[-1] for trajectory in scored if trajectory.scores]
    return sum(finals) / len(finals) if finals else 0.0
