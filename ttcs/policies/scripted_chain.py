"""How the simulated policy writes chains of steps: with slips, and with wordings that tempt to a wrong rule."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from ttcs.core import Problem, Step, Stop
from ttcs.errors import UserError

RULE = "rule"


@dataclass(frozen=True, slots=True)
class ScriptedChain:
    """Each step is right, slipped, or follows a wrong rule; no mistake is mended, and no two cancel.

    By `Problem.level` from 1 (None: the first):
    steps: of a solution. slip: chance that a step comes out as one of `values` wrong values, one as likely as another.
    share: of its steps but the last, chance that the wording tempts to one wrong rule; rule: chance that a step that
    does not slip follows it. Which steps tempt is a matter of the problem, the same in all of its solutions.
    Greedily nothing slips, and the rule is followed where it is the likelier.
    The same mistakes come to the same wrong answer, others to another one.
    """

    steps: Sequence[int] = (8, 8, 8, 7, 7)
    slip: Sequence[float] = (0.07, 0.1, 0.09, 0.06, 0.04)
    rule: Sequence[float] = (0.0, 0.35, 0.55, 0.7, 0.78)
    share: Sequence[float] = (0.0, 0.25, 0.4, 0.55, 0.8)
    values: int = 6

    def __post_init__(self) -> None:
        lengths = {len(self.steps), len(self.slip), len(self.rule), len(self.share)}
        if len(lengths) > 1 or not self.steps:
            raise UserError("steps, slip, rule and share of a simulated chain have a number for each level, as many")

    def step(
        self, draw: random.Random | None, problem: Problem, earlier: Sequence[Step], tokens: int, seed: int
    ) -> Step:
        """The next step. draw: None is greedy. tokens: its length. seed: of what the problem's wordings are like."""
        depth, level = len(earlier) + 1, of_level(problem, self.steps)
        last = depth >= self.steps[level]
        tempts = not last and _fixed(seed, "tempts", problem.id, depth) < self.share[level]
        value = self._value(draw, self.slip[level], self.rule[level] if tempts else 0.0)
        text = f"## Step {depth}: {'ok' if value is None else f'err {value}'}"
        text += f" \\boxed{{{_answer(problem, earlier, value)}}}" if last else "\n\n"
        return Step(-1, _tokens(text, tokens), text, Stop.END if last else Stop.STEP)

    def _value(self, draw: random.Random | None, slip: float, rule: float) -> str | None:
        """What is wrong with a step; None: nothing."""
        if draw is None:
            return RULE if rule > 0.5 else None
        if draw.random() < slip:
            return str(int(draw.random() * self.values) + 1)
        return RULE if draw.random() < rule else None


@lru_cache(maxsize=65536)
def mistake(text: str) -> str | None:
    """What is wrong with a step of a chain; None: nothing."""
    words = text.split(maxsplit=5)
    return words[4] if len(words) > 4 and words[3] == "err" else None


def of_level(problem: Problem, numbers: Sequence[object]) -> int:
    """The place of a problem's level among numbers by level. UserError where there is none for it."""
    place = (problem.level or 1) - 1
    if not 0 <= place < len(numbers):
        raise UserError(
            f"problem {problem.id} has level {problem.level}, and the simulated chain {len(numbers)} levels"
        )
    return place


def chance(*parts: object) -> float:
    """A number in [0, 1) of its own for whatever is named."""
    return int.from_bytes(blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest()) / 2**64


_fixed = lru_cache(maxsize=65536)(chance)  # for what is asked again and again


def _answer(problem: Problem, earlier: Sequence[Step], latest: str | None) -> str:
    """Wrong answers differ from the reference for sure: they are prefixed by x."""
    mistakes = [*(mistake(step.text) for step in earlier), latest]
    if not any(mistakes):
        return problem.answer or "0"
    return f"x{int(chance(problem.id, *mistakes) * 1e9)}"


@lru_cache(maxsize=65536)
def _tokens(text: str, count: int) -> tuple[int, ...]:
    """The same text is the same tokens, another one begins with another."""
    return (int(chance(text) * 2**16), *range(count))[:count]
