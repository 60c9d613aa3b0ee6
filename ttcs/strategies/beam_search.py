from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from math import ceil

from ttcs.core import Problem, Reduction, Request, Sample, Score, Search, Trajectory
from ttcs.strategies.checks import at_least, multiple

Children = tuple[Trajectory, ...]
Valued = Generator[Request, Children, list[tuple[float, Trajectory]]]


@dataclass(frozen=True, slots=True)
class BeamSearch:
    """Keep the best n / width live trajectories at every step, branch each (Snell et al., 2024, section 5.2).

    n: trajectories alive at a time, and candidates in the end. width: branches of each one kept (the paper's M).
    max_steps: rounds at most (40 in the paper). rank: step scores -> what the kept ones are the best in.
    """

    n: int
    width: int
    max_steps: int
    rank: Reduction

    def __post_init__(self) -> None:
        multiple(self.n, width=self.width)
        at_least(1, max_steps=self.max_steps)

    def search(self, problem: Problem) -> Search:
        return (yield from beam_search(problem, self.n, self.width, self.max_steps, self.value))

    def value(self, children: Children) -> Valued:
        scored = yield Score(children)
        return [(self.rank(child.scores), child) for child in scored]


def beam_search(problem: Problem, n: int, width: int, max_steps: int, value: Callable[[Children], Valued]) -> Search:
    """A finished trajectory is set aside as a candidate: never pruned, never cloned, and its slot is given up.

    What is unfinished after max_steps, or was cut off, is not returned. value: scores the children and ranks them.
    """
    finished: list[Trajectory] = []
    beams = [Trajectory(problem)] * n
    for _ in range(max_steps):
        children = yield Sample(tuple(beams), max_steps=1)
        valued = yield from value(children)
        finished += [child for _, child in valued if child.finished]
        live = sorted((pair for pair in valued if pair[1].live), key=lambda pair: -pair[0])
        slots = n - len(finished)
        best = [child for _, child in live[: ceil(slots / width)]]
        beams = [child for child in best for _ in range(width)][:slots]
        if not beams:
            break
    return tuple(finished)
