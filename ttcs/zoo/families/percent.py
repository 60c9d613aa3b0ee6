"""Percentages, one after the other."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from fractions import Fraction
from random import Random

from ttcs.zoo.reasoner import Number, Reasoner, latex

RATES = (5, 10, 20, 25, 30, 50)


@dataclass(frozen=True, slots=True)
class Percent:
    """Misconceptions: `add_rates` (two rises are added up), `rate_as_amount` (the rate itself is taken off)."""

    base: int
    rates: tuple[int, ...]
    signs: tuple[int, ...]

    @classmethod
    def draw(cls, rng: Random, level: int) -> Percent:
        changes = 1 if level <= 2 else 2
        base = 20 * rng.randint(2, 14 + 3 * level)
        rates = (rng.choice(RATES), rng.choice((10, 50)))[:changes]
        return cls(base, rates, tuple(rng.choice((1, 1, -1)) for _ in rates))

    @property
    def question(self) -> str:
        words = [f"{'rises' if s > 0 else 'falls'} by ${r}\\%$" for r, s in zip(self.rates, self.signs, strict=True)]
        return f"A price of ${self.base}$ {', then '.join(words)}. Find the new price."

    def other_wording(self) -> None:
        return None

    def solve(self, reason: Reasoner) -> Generator[str, None, Number]:
        price: Number = self.base
        changes = list(zip(self.rates, self.signs, strict=True))
        if len(changes) == 2 and self.signs == (1, 1) and reason.misled("add_rates"):
            both = reason.value(sum(self.rates))
            yield rf"Together: ${self.rates[0]}\% + {self.rates[1]}\% = {latex(both)}\%$."
            changes = [(int(both), 1)]
        for rate, sign in changes:
            mark = "+" if sign > 0 else "-"
            part: Number = rate
            if sign > 0 or len(self.rates) == 2 or not reason.misled("rate_as_amount"):
                part = reason.value(Fraction(rate * price, 100))
                yield rf"Change: ${rate}\%$ of ${latex(price)}$ is ${latex(part)}$."
            after = reason.value(price + sign * part)
            yield f"New price: ${latex(price)} {mark} {latex(part)} = {latex(after)}$."
            price = after
        return price
