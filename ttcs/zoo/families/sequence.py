"""Arithmetic sequences: a term far out, or the sum of the first terms."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from random import Random

from ttcs.zoo.reasoner import Number, Reasoner, latex


@dataclass(frozen=True, slots=True)
class Sequence:
    """Misconception `off_by_one`: n steps to the n-th term instead of n - 1, where the difference is given outright."""

    first: int
    step: int
    n: int
    total: bool
    given: bool  # the difference is given; otherwise the first two terms are

    @classmethod
    def draw(cls, rng: Random, level: int) -> Sequence:
        total = level >= 4 and rng.random() < 0.6
        n = 2 * rng.randint(2, 9) if total else rng.randint(4, 12 + 3 * level)
        return cls(rng.randint(1, 10 * level), rng.randint(2, 3 + level), n, total, rng.random() < 0.65)

    @property
    def question(self) -> str:
        start = (
            f"starts at ${self.first}$ and goes up by ${self.step}$"
            if self.given
            else f"starts ${self.first}, {self.first + self.step}$"
        )
        asked = f"the sum of its first ${self.n}$ terms" if self.total else f"term number ${self.n}$"
        return f"An arithmetic sequence {start}. Find {asked}."

    def other_wording(self) -> Sequence:
        return replace(self, given=not self.given)

    def solve(self, reason: Reasoner) -> Generator[str, None, Number]:
        step: Number = self.step
        if not self.given:
            step = reason.value(step)
            yield f"Difference: ${self.first + self.step} - {self.first} = {latex(step)}$."
        wrong = self.given and reason.misled("off_by_one")
        steps: Number = self.n
        if not wrong:
            steps = reason.value(self.n - 1)
            yield f"Steps to the last term: ${self.n} - 1 = {latex(steps)}$."
        rise = reason.value(steps * step)
        yield rf"Rise: ${latex(steps)} \cdot {latex(step)} = {latex(rise)}$."
        last = reason.value(self.first + rise)
        yield f"Last term: ${self.first} + {latex(rise)} = {latex(last)}$."
        if not self.total:
            return last
        ends = reason.value(self.first + last)
        yield f"Sum of the ends: ${self.first} + {latex(last)} = {latex(ends)}$."
        pairs = reason.value(self.n // 2)
        yield rf"Pairs: ${self.n} \div 2 = {latex(pairs)}$."
        whole = reason.value(ends * pairs)
        yield rf"Sum: ${latex(ends)} \cdot {latex(pairs)} = {latex(whole)}$."
        return whole
