"""Linear equations in one unknown."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random

from ttcs.zoo.reasoner import Number, Reasoner, latex


@dataclass(frozen=True, slots=True)
class Linear:
    """`form`: `plain` (ax + b = c), `reversed` (b + ax = c), `bracket` (a(x + b) = c) or `both` (ax + b = dx + c).

    Misconceptions: `move_sign` (in `reversed`, the constant is added instead of subtracted), `expand_first` (only the
    bracket's first term is multiplied), `collect_sign` (the unknowns of both sides are added).
    """

    form: str
    a: int
    b: int
    c: int
    d: int = 0

    @classmethod
    def draw(cls, rng: Random, level: int) -> Linear:
        x, a = rng.randint(2, 4 + 5 * level), rng.randint(2, min(9, 3 + 2 * level))
        b = rng.randint(1, 10 + 12 * level)
        if level <= 2 or (level == 3 and rng.random() < 0.5):
            return cls(rng.choice(["plain", "reversed"]), a, b, a * x + b)
        if level <= 3 or (level == 4 and rng.random() < 0.6):
            b = rng.randint(1, 4 * level)
            return cls("bracket", a, b, a * (x + b))
        d = rng.randint(1, 7)
        return cls("both", a + d, b, a * x + b, d)

    @property
    def question(self) -> str:
        a, b, c, d = self.a, self.b, self.c, self.d
        sides = {
            "plain": f"{a}x + {b} = {c}",
            "reversed": f"{b} + {a}x = {c}",
            "bracket": f"{a}(x + {b}) = {c}",
            "both": f"{a}x + {b} = {d if d > 1 else ''}x + {c}",
        }
        return f"Solve for $x$: ${sides[self.form]}$."

    def other_wording(self) -> Linear | None:
        other = {"plain": "reversed", "reversed": "plain"}.get(self.form)
        return replace(self, form=other) if other else None

    def solve(self, reason: Reasoner) -> Generator[str, None, Number]:
        a: Number = self.a
        b: Number = self.b
        c: Number = self.c
        if self.form == "bracket":
            b = b if reason.misled("expand_first") else reason.value(a * b)
            yield f"Expand: ${a}x + {latex(b)} = {c}$."
        if self.form == "both":
            added = reason.misled("collect_sign")
            after = reason.value(a + self.d if added else a - self.d)
            mark = "+" if added else "-"
            yield f"Collect $x$: ${a} {mark} {self.d} = {latex(after)}$, so ${latex(after)}x + {b} = {c}$."
            a = after
        if self.form == "reversed" and reason.misled("move_sign"):
            right = reason.value(c + b)
            yield f"Move ${b}$: ${c} + {b} = {latex(right)}$, so ${latex(a)}x = {latex(right)}$."
        else:
            right = reason.value(c - b)
            yield f"Move ${latex(b)}$: ${c} - {latex(b)} = {latex(right)}$, so ${latex(a)}x = {latex(right)}$."
        x = reason.value(Fraction(right) / a) if a else right
        yield rf"Divide: $x = {latex(right)} \div {latex(a)} = {latex(x)}$."
        return x
