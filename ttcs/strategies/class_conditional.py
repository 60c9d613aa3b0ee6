from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ttcs.core import Problem, Search
from ttcs.errors import UserError
from ttcs.strategies.checks import at_least
from ttcs.strategies.thinking import instructed


@dataclass(frozen=True, slots=True)
class ClassConditional:
    """The model is told to think for a short or a long time (s1, Muennighoff et al., 2025, section 3.2: a baseline).

    n: runs side by side. length: which of the `instructions` it gets. forced: who thinks for more than `thinking`
    tokens is cut off and made to answer, for which `answer` tokens are kept; else the model alone decides.
    """

    n: int
    length: str
    thinking: int
    answer: int
    forced: bool
    instructions: Mapping[str, str]

    def __post_init__(self) -> None:
        at_least(1, n=self.n, thinking=self.thinking, answer=self.answer)
        if self.length not in self.instructions:
            raise UserError(f"length={self.length} is none of {', '.join(self.instructions)}")

    def search(self, problem: Problem) -> Search:
        told = self.instructions[self.length]
        return (yield from instructed(problem, self.n, told, self.thinking, self.answer, self.forced))
