"""Traces of a thinker that computes, doubts and computes again, for the zoo's reasoning policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from typing import Any

from ttcs.core import Problem
from ttcs.training.output import written
from ttcs.training.told import Telling
from ttcs.zoo.generator import Arithmetic, Attempt, Mistakes, Problems, Split, Worked

FINAL = "Final Answer:"


@dataclass(frozen=True, slots=True)
class MadeTraces:
    """Stage: `traces` train exercises, thought through as s1's traces are: solved, and with "Wait" solved once more.

    mistakes: those of the first attempt. care: factor on their rates in the first attempt, the second, ...: who looks
    again looks more closely, so an attempt that follows on another really mends mistakes. rounds: weights of 1, 2, ...
    attempts; how many it gets does not depend on whether the last one is right, since the thinker does not know.
    words: what an attempt that is not the first begins with, and how often. The answer is that of the last attempt.
    told: shares of the traces whose question says how long to think, as the trace then does. worked: share of the
    answers that are the last attempt as it is written for others to read, a verifier, say; the others are one line.
    problems: of which set.
    A line: {"id", "question", "thinking", "answer", "reference", "domain", "level", "source"}.
    """

    out: str
    seed: int
    traces: int
    mistakes: Mistakes
    care: Sequence[float]
    rounds: Sequence[float]
    words: Mapping[str, float]
    told: Sequence[Telling] = ()
    worked: float = 0.0
    problems: Problems = field(default_factory=Arithmetic)

    def run(self) -> None:
        written(self.out, self.lines())

    def lines(self) -> Iterator[dict[str, Any]]:
        stream = self.problems.exercises(f"{self.seed}/traces", Split.TRAIN)
        rng = Random(f"{self.seed}/traces")
        for number, exercise in enumerate(islice(stream, self.traces)):
            steps, attempts, last = self.thought(rng, exercise)
            instruction, thinking = self._told(rng, steps, attempts)
            whole = self.worked > 0 and rng.random() < self.worked
            problem = Problem(f"trace-{number}", exercise.question, instruction=instruction)
            yield {
                "id": problem.id,
                "question": problem.asked,
                "thinking": thinking,
                "answer": "".join(last.steps) if whole else rf"{FINAL} $\boxed{{{last.answer}}}$",
                "reference": exercise.solution()[1],
                "domain": exercise.family,
                "level": exercise.level,
                "source": "zoo",
            }

    def thought(self, rng: Random, exercise: Worked) -> tuple[list[str], int, Attempt]:
        """(the steps of the thinking, how many attempts they are, the last of them)."""
        (rounds,) = rng.choices(range(1, len(self.rounds) + 1), self.rounds)
        parts: list[str] = []
        attempts: list[Attempt] = []
        for care in self.care[:rounds]:
            if attempts:
                (word,) = rng.choices(list(self.words), list(self.words.values()))
                parts.append(f"{word}, let me compute it again.\n\n")
            found = exercise.attempt(self.mistakes.scaled(care, care).reasoner(rng, exercise.level))
            verb = "So" if not attempts else "Again" if found.answer == attempts[-1].answer else "Now"
            parts += [*found.notes, f"{verb} it is ${found.answer}$.\n\n"]
            attempts.append(found)
        return parts, len(attempts), attempts[-1]

    def _told(self, rng: Random, steps: Sequence[str], attempts: int) -> tuple[str | None, str]:
        """(what the question says of its length, the thinking)."""
        left = rng.random() if self.told else 0.0
        for telling in self.told:
            if left < telling.share and (told := telling(steps, attempts)):
                return told
            left -= telling.share
            if left < 0:
                break
        return None, "".join(steps)
