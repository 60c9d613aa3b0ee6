from __future__ import annotations

from dataclasses import dataclass

from ttcs.core import Problem, Sample, Search, Trajectory, Turn
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
        attempts = yield Sample(tuple(Trajectory(problem, subtree=i) for i in range(self.chains)))
        found = list(attempts)
        for _ in range(self.n // self.chains - 1):
            asked = [attempt for attempt in attempts if attempt.finished]
            criticise = tuple(Trajectory(problem, (), one.subtree, (Turn(one, self.critique),)) for one in asked)
            critiques = yield Sample(criticise, lookahead=True)
            useful = [critique for critique in critiques if critique.finished]
            attempts = yield Sample(
                tuple(Trajectory(problem, (), one.subtree, (*one.history, Turn(one, self.rewrite))) for one in useful)
            )
            found += attempts
        return tuple(sorted(found, key=lambda attempt: attempt.subtree or 0))
