"""Midpoints in the plane: the answer is a pair."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random

from ttcs.zoo.reasoner import Reasoner, latex


@dataclass(frozen=True, slots=True)
class Midpoint:
    """Misconceptions on segments: `half_difference` (not the sum), `half_way` (the midpoint again, for the end)."""

    start: tuple[int, int]
    end: tuple[int, int]
    far: bool  # given the start and the midpoint (`end`), find the other end
    segment: bool

    @classmethod
    def draw(cls, rng: Random, level: int) -> Midpoint:
        span = 4 + 12 * level
        far = level >= 3 and rng.random() < 0.5
        start = (rng.randint(0, span), rng.randint(0, span))
        gaps = [2 * rng.randint(1, span // 2) for _ in start]
        end = (start[0] + gaps[0], start[1] + gaps[1])
        return cls(start, end, far, rng.random() < 0.55)

    @property
    def question(self) -> str:
        a, b = (f"$({p[0]}, {p[1]})$" for p in (self.start, self.end))
        if self.far:
            wording = "The segment from" if self.segment else "A segment that begins at"
            return f"{wording} {a} has midpoint {b}. Find its other end."
        if self.segment:
            return f"Find the midpoint of the segment from {a} to {b}."
        return f"Find the point midway between {a} and {b}."

    def other_wording(self) -> Midpoint:
        return replace(self, segment=not self.segment)

    def solve(self, reason: Reasoner) -> Generator[str, None, str]:
        rule = "half_way" if self.far else "half_difference"
        wrong = self.segment and reason.misled(rule)
        found = []
        for name, a, b in zip("xy", self.start, self.end, strict=True):
            if self.far and not wrong:
                twice = reason.value(2 * b)
                value = reason.value(twice - a)
                yield rf"${name}$: $2 \cdot {b} = {latex(twice)}$ and ${latex(twice)} - {a} = {latex(value)}$."
            else:
                mark = "-" if wrong and not self.far else "+"
                total = reason.value(b - a if mark == "-" else a + b)
                value = reason.value(Fraction(total) / 2)
                sides = f"{b} - {a}" if mark == "-" else f"{a} + {b}"
                yield rf"${name}$: ${sides} = {latex(total)}$ and ${latex(total)} \div 2 = {latex(value)}$."
            found.append(value)
        return f"({latex(found[0])}, {latex(found[1])})"
