from __future__ import annotations

from dataclasses import dataclass

from ttcs.core import Problem, Search
from ttcs.errors import UserError
from ttcs.strategies.checks import at_least
from ttcs.strategies.thinking import begun, conclude, think


@dataclass(frozen=True, slots=True)
class BudgetForcing:
    """Thinking is cut off at a maximum, or goes on with `text` where it would end (s1, Muennighoff et al., 2025).

    n: runs side by side, for a vote among them (1 in the paper's sequential scaling). thinking: tokens of it at most,
    over all rounds together; a run that has used them up is made to answer. waits: how often the end of the thinking is
    taken off and `text` put in its place (empty: the policy has to go on with a token that is no end). least: that is
    done for as long as there are fewer tokens of thinking (None: no minimum). answer: tokens kept for the answer, so
    that there always is one; what the thinking leaves of its own is the answer's too.
    """

    n: int
    thinking: int
    answer: int
    waits: int = 0
    least: int | None = None
    text: str = "Wait"

    def __post_init__(self) -> None:
        at_least(1, n=self.n, thinking=self.thinking, answer=self.answer)
        at_least(0, waits=self.waits, least=self.least or 0)
        if (self.least or 0) > self.thinking:
            raise UserError(f"least={self.least} is more than thinking={self.thinking}")

    def search(self, problem: Problem) -> Search:
        thought = yield from think(begun(problem, self.n), self.thinking, self.answer, self.text, self.suppressed)
        return tuple((yield from conclude(thought, self.thinking + self.answer)))

    def suppressed(self, times: int, tokens: int) -> bool:
        return times < self.waits or tokens < (self.least or 0)
