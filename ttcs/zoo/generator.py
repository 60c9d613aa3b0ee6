"""MATH-like problems by family and level, with worked solutions, and their split into train, validation and test."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Protocol

from ttcs.core import Problem
from ttcs.zoo.families.count import Count
from ttcs.zoo.families.fraction import Fraction
from ttcs.zoo.families.linear import Linear
from ttcs.zoo.families.mean import Mean
from ttcs.zoo.families.midpoint import Midpoint
from ttcs.zoo.families.order import Order
from ttcs.zoo.families.percent import Percent
from ttcs.zoo.families.remainder import Remainder
from ttcs.zoo.families.sequence import Sequence as ArithmeticSequence
from ttcs.zoo.reasoner import Number, Reasoner, latex

LEVELS = (1, 2, 3, 4, 5)
FAMILIES: dict[str, type[Instance]] = {}


class Instance(Protocol):
    """A drawn problem: its wording, and how a reasoner solves it (yields step bodies, returns the answer)."""

    @classmethod
    def draw(cls, rng: Random, level: int) -> Instance: ...

    @property
    def question(self) -> str: ...

    def other_wording(self) -> Instance | None:
        """The same problem asked in the other way, if there are two."""
        ...

    def solve(self, reason: Reasoner) -> Generator[str, None, Number | str]: ...


FAMILIES.update(
    count=Count,
    fraction=Fraction,
    linear=Linear,
    mean=Mean,
    midpoint=Midpoint,
    order=Order,
    percent=Percent,
    remainder=Remainder,
    sequence=ArithmeticSequence,
)


class Split(StrEnum):
    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


def split_of(instance: Instance) -> Split | None:
    """The split a problem belongs to, by a hash of its text: no question is ever in two.

    A problem that is a train problem in its other wording is no test or validation problem either (None): its worked
    solution may be in the corpus.
    """
    split = _bucket(instance.question)
    twin = instance.other_wording()
    return None if split is not Split.TRAIN and twin and _bucket(twin.question) is Split.TRAIN else split


def _bucket(question: str) -> Split:
    bucket = hashlib.blake2b(question.encode(), digest_size=2).digest()[0] % 16
    return Split.TEST if bucket == 0 else Split.VALIDATION if bucket == 1 else Split.TRAIN


@dataclass(frozen=True, slots=True)
class Mistakes:
    """Rates at which a corpus errs: `slip[level - 1]` per digit, `misconceptions[rule][level - 1]` per temptation."""

    slip: Sequence[float] = (0.0,) * len(LEVELS)
    misconceptions: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def scaled(self, slip: float, misconceptions: float) -> Mistakes:
        """All rates times a factor of their kind."""
        wrong = {rule: [misconceptions * rate for rate in rates] for rule, rates in self.misconceptions.items()}
        return Mistakes([slip * rate for rate in self.slip], wrong)

    def reasoner(self, rng: Random, level: int) -> Reasoner:
        rates = {rule: by_level[level - 1] for rule, by_level in self.misconceptions.items()}
        return Reasoner(rng, self.slip[level - 1], rates)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A solution twice: `notes`, as a thinker jots its steps down, and `steps`, as it is written for others to read.

    answer: what both come to.
    """

    notes: Sequence[str]
    steps: Sequence[str]
    answer: str


@dataclass(frozen=True, slots=True)
class Exercise:
    """A problem with a way to write solutions to it."""

    family: str
    level: int
    instance: Instance

    @property
    def question(self) -> str:
        return self.instance.question

    def solution(self, reason: Reasoner | None = None) -> tuple[str, str]:
        """(solution text, its answer); without a reasoner the right one."""
        steps, answer = self.graded(reason or Reasoner())
        return "".join(text for text, _ in steps), answer

    def graded(self, reason: Reasoner) -> tuple[list[tuple[str, bool]], str]:
        """(steps with whether everything up to there is right, the answer)."""
        bodies, answer = self._solved(reason)
        rights = [*(right for _, right in bodies), not reason.mistakes]
        return list(zip(_written([body for body, _ in bodies], answer), rights, strict=True)), answer

    def attempt(self, reason: Reasoner) -> Attempt:
        solved, answer = self._solved(reason)
        bodies = [body for body, _ in solved]
        return Attempt([f"{body}\n\n" for body in bodies], _written(bodies, answer), answer)

    def _solved(self, reason: Reasoner) -> tuple[list[tuple[str, bool]], str]:
        """(what the steps say, with whether everything up to there is right, the answer)."""
        solving = self.instance.solve(reason)
        bodies: list[tuple[str, bool]] = []
        while True:
            try:
                body = next(solving)
            except StopIteration as end:
                return bodies, end.value if isinstance(end.value, str) else latex(end.value)
            bodies.append((body, not reason.mistakes))

    def graded_right(self) -> list[str]:
        """The steps of the right solution."""
        return [text for text, _ in self.graded(Reasoner())[0]]

    def remark(self, step: str) -> bool:
        return False

    def problem(self, name: str) -> Problem:
        return Problem(name, self.question, self.solution()[1], self.level, self.family)


def _written(bodies: Sequence[str], answer: str) -> list[str]:
    final = rf"Therefore, the final answer is: $\boxed{{{answer}}}$. I hope it is correct."
    return [*(f"## Step {number}: {body}\n\n" for number, body in enumerate(bodies, 1)), final]


def exercise(rng: Random, split: Split, family: str, level: int) -> Exercise:
    """Draw until the question falls into `split`."""
    while True:
        drawn = Exercise(family, level, FAMILIES[family].draw(rng, level))
        if split_of(drawn.instance) is split:
            return drawn


def exercises(seed: str, split: Split) -> Iterator[Exercise]:
    """Endless exercises, families and levels drawn uniformly."""
    rng = Random(f"{seed}/{split}")
    names = sorted(FAMILIES)
    while True:
        yield exercise(rng, split, rng.choice(names), rng.choice(LEVELS))


class Worked(Protocol):
    """An exercise of whatever set, with its worked solution."""

    @property
    def question(self) -> str: ...

    @property
    def family(self) -> str: ...

    @property
    def level(self) -> int: ...

    def solution(self, reason: Reasoner | None = None) -> tuple[str, str]: ...

    def graded_right(self) -> list[str]: ...

    def attempt(self, reason: Reasoner) -> Attempt: ...

    def remark(self, step: str) -> bool:
        """Whether a step adds nothing to the solution, but says what it makes of the steps before it."""
        ...

    def problem(self, name: str) -> Problem: ...


class Problems(Protocol):
    """A set of problems to draw from: this module's, or that of `ttcs.zoo.chains.problems`."""

    def exercises(self, seed: str, split: Split) -> Iterator[Worked]: ...

    def fixed_set(self, seed: str, split: Split, size: int) -> Sequence[Worked]: ...


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """The problems of this module as a set."""

    def exercises(self, seed: str, split: Split) -> Iterator[Exercise]:
        return exercises(seed, split)

    def fixed_set(self, seed: str, split: Split, size: int) -> list[Exercise]:
        return fixed_set(seed, split, size)


def fixed_set(seed: str, split: Split, size: int) -> list[Exercise]:
    """`size` distinct exercises, levels and families as even as they come."""
    rng = Random(f"{seed}/{split}/fixed")
    cells = itertools.cycle([(family, level) for family in sorted(FAMILIES) for level in LEVELS])
    chosen: dict[str, Exercise] = {}
    while len(chosen) < size:
        drawn = exercise(rng, split, *next(cells))
        chosen.setdefault(drawn.question, drawn)
    return list(chosen.values())
