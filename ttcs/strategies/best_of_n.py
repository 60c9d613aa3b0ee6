from __future__ import annotations

from dataclasses import dataclass
from math import inf

from ttcs.core import Problem, Sample, Search, Trajectory
from ttcs.errors import UserError
from ttcs.strategies.checks import at_least


@dataclass(frozen=True, slots=True)
class BestOfN:
    """n independent solutions; the selection does the rest (Snell et al., 2024, section 5.2; Wang et al., 2023).

    All n are returned, finished or not, so the first m of them are exactly a run with n = m. confidence, window: have
    the policy say how sure it was, by so many likeliest tokens, also in the least window of so many tokens.
    """

    n: int
    confidence: int | None = None
    window: int | None = None

    def __post_init__(self) -> None:
        asked = {"confidence": self.confidence, "window": self.window}
        at_least(1, n=self.n, **{name: size for name, size in asked.items() if size is not None})
        if self.window is not None and self.confidence is None:
            raise UserError(
                f"window={self.window} is of a confidence that is not asked for: add strategy.confidence=20"
            )

    def search(self, problem: Problem) -> Search:
        least = None if self.window is None else (-inf, self.window)
        return (yield Sample((Trajectory(problem),) * self.n, confidence=self.confidence, least=least))
