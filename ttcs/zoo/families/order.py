"""Order of operations: sums and differences of numbers and products."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from math import prod
from random import Random

from ttcs.zoo.reasoner import Number, Reasoner, latex

# level -> (factors of each term, largest factor)
SHAPES = {
    1: ((1, 2), 9),
    2: ((1, 2, 1), 12),
    3: ((2, 1, 2), 15),
    4: ((1, 2, 1, 2), 20),
    5: ((1, 2, 2, 1, 2), 29),
}


@dataclass(frozen=True, slots=True)
class Order:
    """Misconception `left_to_right`: in a sum that begins with a lone number, add before multiplying."""

    terms: tuple[tuple[int, tuple[int, ...]], ...]  # (sign, factors)

    @classmethod
    def draw(cls, rng: Random, level: int) -> Order:
        shape, largest = SHAPES[level]
        counts = list(shape)
        if rng.random() < 0.4:
            counts.reverse()
        total, terms = 0, []
        for place, count in enumerate(counts):
            factors = (rng.randint(2, largest), rng.randint(2, 9)) if count == 2 else (rng.randint(1, 3 * largest),)
            size = prod(factors)
            sign = -1 if place and total >= size and rng.random() < 0.5 else 1
            total += sign * size
            terms.append((sign, factors))
        return cls(tuple(terms))

    @property
    def expression(self) -> str:
        parts = []
        for place, (sign, factors) in enumerate(self.terms):
            mark = "" if place == 0 else (" + " if sign > 0 else " - ")
            parts.append(mark + r" \cdot ".join(map(str, factors)))
        return "".join(parts)

    @property
    def question(self) -> str:
        return f"Compute ${self.expression}$."

    def other_wording(self) -> None:
        return None

    def solve(self, reason: Reasoner) -> Generator[str, None, Number]:
        terms: list[tuple[int, Number, tuple[int, ...]]] = [(sign, prod(f), f) for sign, f in self.terms]
        tempted = len(terms[0][2]) == 1 and terms[1][0] > 0 and len(terms[1][2]) == 2
        if tempted and reason.misled("left_to_right"):
            (_, first, _), (_, _, (left, right)) = terms[0], terms[1]
            early = reason.value(first + left)
            yield f"Go from left to right: ${first} + {left} = {latex(early)}$."
            whole = reason.value(early * right)
            yield rf"Multiply: ${latex(early)} \cdot {right} = {latex(whole)}$."
            terms = [(1, whole, ()), *terms[2:]]
        values = []
        for sign, exact, factors in terms:
            value = exact
            if len(factors) == 2:
                value = reason.value(exact)
                yield rf"Multiply: ${factors[0]} \cdot {factors[1]} = {latex(value)}$."
            values.append((sign, value))
        total = values[0][1]
        for sign, value in values[1:]:
            after = reason.value(total + sign * value)
            word, mark = ("Add", "+") if sign > 0 else ("Subtract", "-")
            yield f"{word}: ${latex(total)} {mark} {latex(value, operand=True)} = {latex(after)}$."
            total = after
        return total
