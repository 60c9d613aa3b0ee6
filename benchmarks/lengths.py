"""Solutions of given lengths from a real engine: what the zoo's are too short and too alike to show.

The engine decodes as many tokens as it is told to, and where steps and solutions end is drawn from a request's seed.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks import zoo
from ttcs.config.components import build
from ttcs.core import Continue, Continued, Problem, Step, Stop


class Nowhere:
    """Step boundaries that never come."""

    solid: frozenset[int] = frozenset()

    def ends_step(self, previous: int | None, token: int) -> bool:
        return False


def endless() -> Any:
    """The zoo's policy, of which a request gets all the tokens it may have."""
    policy = build(zoo.configured(), "policy")
    room = policy.rules.context
    policy.rules = replace(policy.rules, ends=frozenset(), boundaries=Nowhere(), end_at_box=False, max_tokens=room)
    return policy


@dataclass(frozen=True, slots=True)
class Shape:
    """Steps of `shortest` to `longest` tokens; from depth `least` on a step ends the solution with the chance `end`."""

    shortest: int
    longest: int
    least: int
    end: float

    def steps(self, request: Continue) -> list[tuple[int, Stop]]:
        """Length of each step of the answer, and why it ends."""
        chance = random.Random(request.seed)
        depth = len(request.trajectory.steps)
        found: list[tuple[int, Stop]] = []
        while request.max_steps is None or len(found) < request.max_steps:
            depth += 1
            stop = Stop.END if depth >= self.least and chance.random() < self.end else Stop.STEP
            found.append((chance.randint(self.shortest, self.longest), stop))
            if stop is Stop.END:
                break
        return found


# The proportions of MATH-500 with a 1B policy (prompts of 250 tokens, 8 steps of 45), at half the length.
LONG = Shape(shortest=10, longest=30, least=6, end=1 / 3)
PROMPT = 100  # tokens, about


class ShapedPolicy:
    """A policy that writes solutions of a shape."""

    def __init__(self, shape: Shape) -> None:
        self._engine, self._shape = endless(), shape
        self._asked: dict[int, list[tuple[int, Stop]]] = {}
        self.size, self.capacity, self.reset = self._engine.size, self._engine.capacity, self._engine.reset
        self.cache_tokens = self._engine.cache_tokens
        self.max_tokens = self._engine.rules.context

    def add(self, ticket: int, request: Continue) -> None:
        self._asked[ticket] = self._shape.steps(request)
        count = sum(length for length, _ in self._asked[ticket])
        self._engine.add(ticket, replace(request, max_steps=None, max_tokens=count))

    def step(self) -> list[tuple[int, Continued]]:
        done = self._engine.step()
        return [(ticket, replace(result, steps=self._cut(ticket, result.steps))) for ticket, result in done]

    def cancel(self, ticket: int) -> Continued | None:
        result = self._engine.cancel(ticket)
        return None if result is None else replace(result, steps=self._cut(ticket, result.steps))

    def _cut(self, ticket: int, whole: Sequence[Step]) -> tuple[Step, ...]:
        """LENGTH where the context ran out."""
        tokens = [token for step in whole for token in step.tokens]
        steps: list[Step] = []
        for length, stop in self._asked.pop(ticket):
            piece, tokens = tuple(tokens[:length]), tokens[length:]
            text = self._engine.rules.decode(piece)
            steps.append(Step(-1, piece, text, stop if len(piece) == length else Stop.LENGTH))
            if len(piece) < length:
                break
        return tuple(steps)


def problems(count: int) -> list[Problem]:
    """Problems as long as `PROMPT`, made of the zoo's."""
    tokenizer = zoo.policy().tokenizer
    source = iter(zoo.problems(500))
    found: list[Problem] = []
    for number in range(count):
        question = ""
        while len(tokenizer(question).input_ids) < PROMPT:
            question += f"{next(source).question} "
        found.append(Problem(f"long {number}", question.strip(), "0"))
    return found
