"""Counting integers, and multiples, between two bounds."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from random import Random

from ttcs.zoo.reasoner import Number, Reasoner, latex


@dataclass(frozen=True, slots=True)
class Count:
    """Misconception `fence_post`: the difference of the bounds without the one more, in the wording "from ... to"."""

    low: int
    high: int
    divisor: int
    words: bool

    @classmethod
    def draw(cls, rng: Random, level: int) -> Count:
        divisor = 1 if level == 1 else rng.randint(2, 4 + level)
        first = rng.randint(2, 20 + 6 * level)
        low, high = first * divisor, (first + rng.randint(5, 20 + 8 * level)) * divisor
        if level >= 4:
            low, high = low - rng.randrange(divisor), high + rng.randrange(divisor)
        return cls(low, high, divisor, rng.random() < 0.6)

    @property
    def question(self) -> str:
        things = "integers" if self.divisor == 1 else f"multiples of ${self.divisor}$"
        if self.words:
            return f"How many {things} are there from ${self.low}$ to ${self.high}$?"
        return rf"How many {things} $t$ satisfy ${self.low} \le t \le {self.high}$?"

    def other_wording(self) -> Count:
        return replace(self, words=not self.words)

    def solve(self, reason: Reasoner) -> Generator[str, None, Number]:
        first: Number = self.low
        last: Number = self.high
        if self.divisor > 1:
            first = reason.value(-(-self.low // self.divisor))
            yield rf"First: ${self.divisor} \cdot {latex(first)} = {latex(first * self.divisor)}$."
            last = reason.value(self.high // self.divisor)
            yield rf"Last: ${self.divisor} \cdot {latex(last)} = {latex(last * self.divisor)}$."
        gap = reason.value(last - first)
        yield f"Difference: ${latex(last)} - {latex(first)} = {latex(gap)}$."
        if self.words and reason.misled("fence_post"):
            return gap
        count = reason.value(gap + 1)
        yield f"Both ends count: ${latex(gap)} + 1 = {latex(count)}$."
        return count
