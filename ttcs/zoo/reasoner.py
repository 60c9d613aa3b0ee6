"""Who writes a solution down: rightly, or with the mistakes that real corpora hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random

Number = int | Fraction


@dataclass(frozen=True, slots=True)
class Reasoner:
    """Computes numbers and applies rules for a solution, making mistakes at given rates.

    slip: probability that a computed number gets one wrong digit, per digit, so larger numbers slip more often.
    misconceptions: rule -> probability of applying the wrong rule where the surface of the problem invites it.
    Without rates (the default) every solution is right. mistakes: what was done wrong so far, a rule or "slip".
    """

    rng: Random = field(default_factory=Random)
    slip: float = 0.0
    misconceptions: Mapping[str, float] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)

    def misled(self, rule: str) -> bool:
        """Whether the wrong rule is applied this time."""
        rate = self.misconceptions.get(rule, 0.0)
        wrong = rate > 0 and self.rng.random() < rate
        if wrong:
            self.mistakes.append(rule)
        return wrong

    def value(self, exact: Number) -> Number:
        """The result of a computation: `exact`, or with one digit of it wrong."""
        number = Fraction(exact)
        if number.denominator != 1:
            return number
        digits = str(abs(number.numerator))
        if self.slip == 0 or self.rng.random() >= self.slip * len(digits):
            return number.numerator
        self.mistakes.append("slip")
        place = self.rng.randrange(len(digits))
        wrong = self.rng.choice(
            [d for d in "0123456789" if d != digits[place] and (d != "0" or place or len(digits) == 1)]
        )
        slipped = int(digits[:place] + wrong + digits[place + 1 :])
        return slipped if number >= 0 else -slipped


def latex(number: Number, operand: bool = False) -> str:
    """A number in LaTeX; as an `operand` a negative one gets parentheses."""
    exact = Fraction(number)
    size = abs(exact)
    body = str(size.numerator) if size.denominator == 1 else rf"\frac{{{size.numerator}}}{{{size.denominator}}}"
    if exact >= 0:
        return body
    return f"(-{body})" if operand else f"-{body}"
