"""Sums and differences of fractions, in lowest terms."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from fractions import Fraction as Exact
from math import lcm
from random import Random

from ttcs.zoo.reasoner import Number, Reasoner, latex


def frac(top: Number, bottom: Number) -> str:
    """A fraction as written, not reduced."""
    return rf"\frac{{{latex(top)}}}{{{latex(bottom)}}}"


@dataclass(frozen=True, slots=True)
class Fraction:
    """Misconception `across`: add tops and bottoms, in a sum that begins with a unit fraction."""

    tops: tuple[int, int]
    bottoms: tuple[int, int]
    sign: int

    @classmethod
    def draw(cls, rng: Random, level: int) -> Fraction:
        largest = 7 + level
        second = rng.randint(3, largest)
        first = second * rng.randint(1, 3) if level <= 2 else rng.randint(2, largest)
        tops = (1 if rng.random() < 0.55 else rng.randint(1, first - 1), rng.randint(1, second - 1))
        bigger = Exact(tops[0], first) > Exact(tops[1], second)
        return cls(tops, (first, second), -1 if bigger and rng.random() < 0.7 else 1)

    @property
    def question(self) -> str:
        mark = "+" if self.sign > 0 else "-"
        left, right = (frac(top, bottom) for top, bottom in zip(self.tops, self.bottoms, strict=True))
        return f"Compute ${left} {mark} {right}$ in lowest terms."

    def other_wording(self) -> None:
        return None

    def solve(self, reason: Reasoner) -> Generator[str, None, Number]:
        (a, c), (b, d) = self.tops, self.bottoms
        mark, word = ("+", "Add") if self.sign > 0 else ("-", "Subtract")
        if self.sign > 0 and a == 1 and reason.misled("across"):
            top, bottom = reason.value(a + c), reason.value(b + d)
            yield f"Tops: ${a} + {c} = {latex(top)}$."
            yield f"Bottoms: ${b} + {d} = {latex(bottom)}$."
        else:
            bottom = reason.value(lcm(b, d))
            yield f"Common denominator of ${b}$ and ${d}$: ${latex(bottom)}$."
            left, right = (reason.value(int(x * bottom / y)) for x, y in ((a, b), (c, d)))
            yield f"Expand: ${frac(a, b)} = {frac(left, bottom)}$ and ${frac(c, d)} = {frac(right, bottom)}$."
            top = reason.value(left + self.sign * right)
            yield f"{word}: ${latex(left)} {mark} {latex(right)} = {latex(top)}$, so ${frac(top, bottom)}$."
        lowest = Exact(int(top), int(bottom) or 1)
        yield f"Reduce: ${frac(top, bottom)} = {latex(lowest)}$."
        return lowest
