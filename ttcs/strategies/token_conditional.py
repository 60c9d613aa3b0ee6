from __future__ import annotations

from dataclasses import dataclass

from ttcs.core import Problem, Search
from ttcs.strategies.checks import at_least, holds
from ttcs.strategies.thinking import instructed


@dataclass(frozen=True, slots=True)
class TokenConditional:
    """The model is told how many tokens it may think (s1, Muennighoff et al., 2025, section 3.2: a baseline).

    n: runs side by side. thinking: the number it is told, in the place of {tokens} in `instruction`. forced: who goes
    beyond it is cut off and made to answer, for which `answer` tokens are kept; else the model alone decides.
    """

    n: int
    thinking: int
    answer: int
    forced: bool
    instruction: str

    def __post_init__(self) -> None:
        at_least(1, n=self.n, thinking=self.thinking, answer=self.answer)
        holds("{tokens}", instruction=self.instruction)

    def search(self, problem: Problem) -> Search:
        told = self.instruction.replace("{tokens}", str(self.thinking))
        return (yield from instructed(problem, self.n, told, self.thinking, self.answer, self.forced))
