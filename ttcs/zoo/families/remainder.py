"""Remainders of sums and products."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from random import Random

from ttcs.zoo.reasoner import Number, Reasoner, latex


@dataclass(frozen=True, slots=True)
class Remainder:
    """Misconception `next_multiple`: what is missing to the next multiple, where the wording is "left over"."""

    factors: tuple[int, ...]
    addend: int | None
    modulus: int
    left_over: bool

    @classmethod
    def draw(cls, rng: Random, level: int) -> Remainder:
        factors: tuple[int, ...] = (rng.randint(12, 60 * level + 30),)
        if level >= 3:
            factors = (rng.randint(4 * level - 4, 6 * level), rng.randint(3, 9))
        addend = rng.randint(5, 10 * level) if level in (2, 4, 5) else None
        return cls(factors, addend, rng.randint(3, 7 + level), rng.random() < 0.55)

    @property
    def expression(self) -> str:
        product = r" \cdot ".join(map(str, self.factors))
        return product if self.addend is None else f"{product} + {self.addend}"

    @property
    def question(self) -> str:
        if self.left_over:
            return f"What is left over when ${self.expression}$ is shared by ${self.modulus}$?"
        return f"Find the remainder when ${self.expression}$ is divided by ${self.modulus}$."

    def other_wording(self) -> Remainder:
        return replace(self, left_over=not self.left_over)

    def solve(self, reason: Reasoner) -> Generator[str, None, Number]:
        value: Number = self.factors[0]
        if len(self.factors) == 2:
            value = reason.value(self.factors[0] * self.factors[1])
            yield rf"Multiply: ${self.factors[0]} \cdot {self.factors[1]} = {latex(value)}$."
        if self.addend is not None:
            after = reason.value(value + self.addend)
            yield f"Add: ${latex(value)} + {self.addend} = {latex(after)}$."
            value = after
        times = int(value) // self.modulus
        if self.left_over and reason.misled("next_multiple"):
            multiple = reason.value((times + 1) * self.modulus)
            yield rf"Next multiple: ${self.modulus} \cdot {times + 1} = {latex(multiple)}$."
            rest = reason.value(multiple - value)
            yield f"Missing: ${latex(multiple)} - {latex(value)} = {latex(rest)}$."
            return rest
        multiple = reason.value(times * self.modulus)
        yield rf"Largest multiple: ${self.modulus} \cdot {times} = {latex(multiple)}$."
        rest = reason.value(value - multiple)
        yield f"Subtract: ${latex(value)} - {latex(multiple)} = {latex(rest)}$."
        return rest
