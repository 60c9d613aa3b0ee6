from __future__ import annotations

from dataclasses import dataclass, replace

from ttcs.core import Parallel, Problem, Sample, Search, Trajectory, Turn
from ttcs.strategies.checks import multiple


@dataclass(frozen=True, slots=True)
class SelfRefine:
    """An instruct model is asked to criticise its latest attempt, and to write a better one (Madaan et al., 2023).

    n: attempts in all. chains: how many side by side, each of n / chains attempts. critique, rewrite: what the user
    says after an attempt and after a critique. Critiques are charged, as lookahead is; they are no candidates.
    The model sees the question, its latest attempt and the critique of it, so the context stays short. A chain ends
    with an attempt or a critique that was cut off.
    """

    n: int
    chains: int
    critique: str
    rewrite: str

    def __post_init__(self) -> None:
        multiple(self.n, chains=self.chains)

    def search(self, problem: Problem) -> Search:
        return (yield Parallel(tuple(self.refine(Trajectory(problem, subtree=i)) for i in range(self.chains))))

    def refine(self, start: Trajectory) -> Search:
        """The attempts of one chain."""
        attempts = yield Sample((start,))
        while len(attempts) < self.n // self.chains and attempts[-1].finished:
            asked = replace(start, history=(Turn(attempts[-1], self.critique),))
            (critique,) = yield Sample((asked,), lookahead=True)
            if not critique.finished:
                break
            attempts += yield Sample((replace(start, history=(*asked.history, Turn(critique, self.rewrite))),))
        return attempts
