"""What the steps of a chain do to its state, four digits: add to one of them, shift all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

PLACES = "ABCD"
State = tuple[int, ...]


def shown(state: State) -> str:
    """As in: A4 B7 C5 D1."""
    return " ".join(f"{place}{digit}" for place, digit in zip(PLACES, state, strict=True))


class Act(Protocol):
    """One change of a state. `inverse` takes it back, and is what a tempting wording is mistaken for."""

    @property
    def inverse(self) -> Act: ...

    def done(self, state: State, far: int = 0) -> tuple[str, State]:
        """(how it is written down, the state after it). far: by how much the digit that a sum comes to is too high."""
        ...


@dataclass(frozen=True, slots=True)
class Add:
    """A number, or the digit at another place, is added modulo 10 to the digit at `target`, or taken from it.

    sign: 1 or -1. source: the place whose digit is added; None: it is `amount`.
    """

    target: int
    sign: int
    amount: int = 0
    source: int | None = None

    @property
    def inverse(self) -> Add:
        return replace(self, sign=-self.sign)

    def done(self, state: State, far: int = 0) -> tuple[str, State]:
        operand = self.amount if self.source is None else state[self.source]
        result = (state[self.target] + self.sign * operand + far) % 10
        place, named = PLACES[self.target], "" if self.source is None else PLACES[self.source]
        written = f"{place}{state[self.target]}{'+' if self.sign > 0 else '-'}{named}{operand}={place}{result}"
        return written, (*state[: self.target], result, *state[self.target + 1 :])


@dataclass(frozen=True, slots=True)
class Shift:
    """All digits move one place to the left or to the right, and the one at the end goes to the other end."""

    left: bool

    @property
    def inverse(self) -> Shift:
        return Shift(not self.left)

    def done(self, state: State, far: int = 0) -> tuple[str, State]:
        return ("left", (*state[1:], state[0])) if self.left else ("right", (state[-1], *state[:-1]))


def run(state: State, acts: tuple[Act, ...]) -> State:
    """The state after all of them."""
    for act in acts:
        _, state = act.done(state)
    return state
