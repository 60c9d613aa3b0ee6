"""Exercises of chains: worked solutions, graded or with their mistakes marked, and the split of the problems."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from ttcs.core import Problem
from ttcs.zoo.chains.chain import CHECK, Chain, another_digit
from ttcs.zoo.chains.families import FAMILIES, MOVES
from ttcs.zoo.generator import LEVELS, Attempt, Split
from ttcs.zoo.reasoner import Reasoner


@dataclass(frozen=True, slots=True)
class ChainExercise:
    """A chain with ways to write solutions to it."""

    family: str
    level: int
    chain: Chain

    @property
    def question(self) -> str:
        return self.chain.question

    def marked(self, reason: Reasoner) -> Iterator[tuple[str, int | None]]:
        """(step, its first wrong character or None), the answer last: what follows from a mistake is no mistake."""
        found = self.chain.given
        for number, (body, right, state) in enumerate(self.chain.steps(reason), 1):
            found = state
            yield _marked(f"{number}: {body}\n\n", f"{number}: {right}\n\n")
        yield _marked(f"{self.chain.check(reason, found)}\n\n", f"{self.chain.check(Reasoner(), found)}\n\n")
        digits = "".join(map(str, found))
        written = another_digit(reason.rng, digits) if reason.misled("odd") else digits
        yield _marked(*(rf"The answer is $\boxed{{{answer}}}$." for answer in (written, digits)))

    def graded(self, reason: Reasoner) -> tuple[list[tuple[str, bool]], str]:
        """(steps with whether everything up to there is right, the answer)."""
        steps, still = [], True
        for text, wrong in self.marked(reason):
            still = still and wrong is None
            steps.append((text, still))
        return steps, steps[-1][0].partition("{")[2].partition("}")[0]

    def graded_right(self) -> list[str]:
        """The steps of the right solution."""
        return [text for text, _ in self.marked(Reasoner())]

    def attempt(self, reason: Reasoner) -> Attempt:
        """Notes are the steps without the check."""
        graded, answer = self.graded(reason)
        steps = [text for text, _ in graded]
        return Attempt([step for step in steps[:-1] if not self.remark(step)], steps, answer)

    def remark(self, step: str) -> bool:
        """The check: what it says does not change the answer."""
        return step.startswith(CHECK)

    def solution(self, reason: Reasoner | None = None) -> tuple[str, str]:
        """(solution text, its answer); without a reasoner the right one."""
        steps, answer = self.graded(reason or Reasoner())
        return "".join(text for text, _ in steps), answer

    def problem(self, name: str) -> Problem:
        return Problem(name, self.question, self.chain.answer, self.level, self.family)


@dataclass(frozen=True, slots=True)
class Chains:
    """The second set of problems, for stages that can do with either (see `ttcs.zoo.generator` for the first).

    shortest: an exercise has so many moves or more, up to the usual number. Fixed sets have the usual number.
    """

    shortest: int = MOVES

    def exercises(self, seed: str, split: Split) -> Iterator[ChainExercise]:
        """Endless exercises, families and levels drawn uniformly."""
        rng = Random(f"{seed}/{split}/chains")
        names = sorted(FAMILIES)
        while True:
            moves = self.shortest if self.shortest == MOVES else rng.randint(self.shortest, MOVES)
            yield exercise(rng, split, rng.choice(names), rng.choice(LEVELS), moves)

    def fixed_set(self, seed: str, split: Split, size: int) -> list[ChainExercise]:
        """`size` distinct exercises, levels and families as even as they come."""
        rng = Random(f"{seed}/{split}/chains/fixed")
        cells = itertools.cycle([(family, level) for family in sorted(FAMILIES) for level in LEVELS])
        chosen: dict[str, ChainExercise] = {}
        while len(chosen) < size:
            family, level = next(cells)
            drawn = exercise(rng, split, family, level)
            while drawn.chain.key in chosen:
                drawn = exercise(rng, split, family, level)
            chosen[drawn.chain.key] = drawn
        return list(chosen.values())


def exercise(rng: Random, split: Split, family: str, level: int, moves: int = MOVES) -> ChainExercise:
    """Draw until the problem falls into `split` and its tempting wordings cannot lead to the right answer."""
    while True:
        drawn = ChainExercise(family, level, FAMILIES[family](rng, level, moves))
        if split_of(drawn.chain) is split and drawn.chain.deceptive():
            return drawn


def split_of(chain: Chain) -> Split:
    """By a hash of what is to be done: the same problem in other words is in the same split."""
    bucket = hashlib.blake2b(chain.key.encode(), digest_size=2).digest()[0] % 16
    return Split.TEST if bucket == 0 else Split.VALIDATION if bucket == 1 else Split.TRAIN


def _marked(text: str, right: str) -> tuple[str, int | None]:
    pairs = enumerate(zip(text, right, strict=False))
    return text, next((place for place, (one, other) in pairs if one != other), None)
