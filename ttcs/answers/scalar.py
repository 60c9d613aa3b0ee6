"""What decides the meaning of a single expression, and the decider that needs no symbolic mathematics."""

from dataclasses import dataclass
from math import inf
from typing import Protocol, SupportsFloat

from ttcs.answers.form import Undecided
from ttcs.answers.rational import key, rational


@dataclass(frozen=True, slots=True)
class Scalar:
    """An expression in canonical form, and its place on the real line (None where it has none that is known).

    readings: other keys that it may be known by, as those of a form.
    """

    key: str
    value: float | None = None
    readings: tuple[str, ...] = ()


class Decider(Protocol):
    """Puts what holds no list, set or relation in canonical form. Raises Undecided where it cannot."""

    def scalar(self, text: str) -> Scalar: ...

    def equation(self, left: str, right: str) -> str:
        """The same text for equations that are multiples of one another."""
        ...

    def inequality(self, left: str, right: str, strict: bool) -> "str | Bound":
        """left < right (or <=): a bound where it can be solved for its one unknown, else text as for an equation."""
        ...


@dataclass(frozen=True, slots=True)
class Bound:
    """The solutions of an inequality in one unknown: all numbers above, or all below, an end."""

    end: Scalar
    above: bool


INFINITE = {r"\infty": inf, r"+\infty": inf, r"-\infty": -inf}


class Plain:
    """Decides plain numbers and single letters."""

    def scalar(self, text: str) -> Scalar:
        if (infinite := INFINITE.get(text.replace(" ", ""))) is not None:
            return Scalar("oo" if infinite > 0 else "-oo", infinite)
        if (value := rational(text)) is not None:
            return Scalar(key(value), as_float(value))
        # e and i are numbers.
        if len(text) == 1 and text.isalpha() and text not in "ei":
            return Scalar(f"symbol {text}")
        raise Undecided(text)

    def equation(self, left: str, right: str) -> str:
        raise Undecided(f"{left} = {right}")

    def inequality(self, left: str, right: str, strict: bool) -> str | Bound:
        raise Undecided(f"{left} < {right}")


def as_float(value: SupportsFloat) -> float | None:
    """Beyond the largest float there is no place on the line to tell."""
    try:
        return float(value)
    except OverflowError:
        return None
