"""A missing number from a mean."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from random import Random

from ttcs.zoo.reasoner import Number, Reasoner, latex


@dataclass(frozen=True, slots=True)
class Mean:
    """Misconception `known_only`: the mean times how many numbers are known, where the unknown is named last."""

    known: tuple[int, ...]
    mean: int
    last: bool

    @classmethod
    def draw(cls, rng: Random, level: int) -> Mean:
        count = 2 + (level + 1) // 2
        mean = rng.randint(5, 12 * level)
        known = tuple(rng.randint(max(1, mean - 6 * level), mean + 4) for _ in range(count - 1))
        return cls(known, mean, rng.random() < 0.55)

    @property
    def question(self) -> str:
        names = [f"${k}$" for k in self.known]
        names = [*names, "$x$"] if self.last else ["$x$", *names]
        return f"The mean of {', '.join(names[:-1])} and {names[-1]} is ${self.mean}$. Find $x$."

    def other_wording(self) -> Mean:
        return replace(self, last=not self.last)

    def solve(self, reason: Reasoner) -> Generator[str, None, Number]:
        count = len(self.known) + (0 if self.last and reason.misled("known_only") else 1)
        total = reason.value(self.mean * count)
        yield rf"Total: ${self.mean} \cdot {count} = {latex(total)}$."
        known: Number = self.known[0]
        for value in self.known[1:]:
            after = reason.value(known + value)
            yield f"Known: ${latex(known)} + {value} = {latex(after)}$."
            known = after
        x = reason.value(total - known)
        yield f"Unknown: ${latex(total)} - {latex(known)} = {latex(x)}$."
        return x
