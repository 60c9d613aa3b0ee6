"""A chain: a state, what is to be done to it step by step, and a check of the whole at the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from random import Random

from ttcs.zoo.chains.acts import PLACES, Act, Add, State, run, shown
from ttcs.zoo.reasoner import Reasoner

TOO_FAR = (1, 2)  # how far a slip counts on: two or three slips never cancel, as one too many and one too few would
CHECK = "Check:"  # what the step begins with that checks the others


@dataclass(frozen=True, slots=True)
class Chain:
    """A drawn problem.

    question: its wording. given: the state that it tells. acts: what the steps do, in order. tempting: for each of
    them, whether its wording is easily taken for the opposite; rule: the name of that mistake. backward: the steps
    undo moves from the given end to the start.
    """

    question: str
    given: State
    acts: tuple[Act, ...]
    tempting: tuple[bool, ...]
    rule: str
    backward: bool = False

    @property
    def key(self) -> str:
        """The same for the same problem in other words."""
        return f"{self.backward} {self.given} {self.acts}"

    @property
    def answer(self) -> str:
        return "".join(map(str, run(self.given, self.acts)))

    def deceptive(self) -> bool:
        """Whether falling for the wording, at whatever steps, always ends in another state than the right one."""
        right = run(self.given, self.acts)
        for fallen in product(*((False, True) if tempts else (False,) for tempts in self.tempting)):
            acts = tuple(act.inverse if wrong else act for act, wrong in zip(self.acts, fallen, strict=True))
            if any(fallen) and run(self.given, acts) == right:
                return False
        return True

    def steps(self, reason: Reasoner) -> Iterator[tuple[str, str, State]]:
        """(the text of a step, the right one after the same steps before, the state after it), one for each act.

        A digit slips at its rate, and at that of `unsure` where a wrong rule is followed, never to the right one there.
        Rule `odd`: any digit of a step, or of the answer, is written wrong, as no corpus does but a sampled model may.
        """
        state = self.given
        for act, tempts in zip(self.acts, self.tempting, strict=True):
            right, _ = _step(act, state)
            if tempts and reason.misled(self.rule):
                unsure = isinstance(act, Add) and reason.misled("unsure")
                text, state = _step(act.inverse, state, reason.rng.choice(_wrong(act, state)) if unsure else 0)
            else:
                text, state = _step(act, state, reason.rng.choice(TOO_FAR) if _slips(reason, act) else 0)
            if reason.misled("odd"):
                text = another_digit(reason.rng, text)
                state = tuple(int(letter) for letter in text.rpartition(":")[2] if letter.isdigit())
            yield text, right, state

    def check(self, reason: Reasoner, found: State) -> str:
        """All steps taken back, the last one first, and whether that comes to what was given.

        Had it done the steps again, it would come to the answer a second time, and a model that reads two of them
        copies a digit from here and a digit from there. The digits are compared one by one, each with a word of its
        own, so that the verdict only has to look at four words. Rule `trusting`: where it does not fit, what it comes
        to is put down as what was given.
        """
        state, parts = found, []
        for number, act in reversed(list(enumerate(self.acts, 1))):
            written, state = act.inverse.done(state)
            parts.append(f"{number}: {written}" if "=" in written else f"{number}: {shown(state)}")
        if state != self.given and reason.misled("trusting"):
            state = self.given
        same = " ".join(compared(*pair) for pair in zip(PLACES, state, self.given, strict=True))
        return f"{CHECK} {' '.join(parts)}: {same}: {'fits' if state == self.given else 'does not fit'}."


def _step(act: Act, state: State, far: int = 0) -> tuple[str, State]:
    written, after = act.done(state, far)
    return f"{written}: {shown(after)}.", after


def another_digit(rng: Random, text: str) -> str:
    """The text with one of its digits exchanged for another."""
    place = rng.choice([place for place, letter in enumerate(text) if letter.isdigit()])
    digit = (int(text[place]) + rng.randint(1, 9)) % 10
    return f"{text[:place]}{digit}{text[place + 1 :]}"


def compared(place: str, one: int, other: int) -> str:
    """As in: B7 5 no."""
    return f"{place}{one} {other} {'yes' if one == other else 'no'}"


def _slips(reason: Reasoner, act: Act) -> bool:
    """Whether the digit that comes out slips, where one does."""
    slips = isinstance(act, Add) and reason.rng.random() < reason.slip
    if slips:
        reason.mistakes.append("slip")
    return slips


def _wrong(act: Act, state: State) -> list[int]:
    """How far the result of the opposite act can slip without coming out right."""
    right = run(state, (act,))
    return [far for far in TOO_FAR if act.inverse.done(state, far)[1] != right]
