"""Traces of a thinker that computes, doubts and computes again, for the zoo's reasoning policy."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from ttcs.config.writable import made
from ttcs.core import Problem
from ttcs.records.folder import write_lines
from ttcs.training.told import Telling
from ttcs.zoo.generator import Exercise, Mistakes, Split, exercises
from ttcs.zoo.reasoner import latex

FINAL = "Final Answer:"


@dataclass(frozen=True, slots=True)
class MadeTraces:
    """Stage: `traces` train exercises, thought through as s1's traces are: solved, and with "Wait" solved once more.

    mistakes: those of the first attempt. care: factor on their rates in the first attempt, the second, ...: who looks
    again looks more closely, so an attempt that follows on another really mends mistakes. rounds: weights of 1, 2, ...
    attempts; how many it gets does not depend on whether the last one is right, since the thinker does not know.
    words: what an attempt that is not the first begins with, and how often. The answer is that of the last attempt.
    told: shares of the traces whose question says how long to think, as the trace then does.
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

    def run(self) -> None:
        path = Path(self.out)
        made(path.parent)
        write_lines(path, (json.dumps(line, ensure_ascii=False) + "\n" for line in self.lines()))

    def lines(self) -> Iterator[dict[str, Any]]:
        stream, rng = exercises(f"{self.seed}/traces", Split.TRAIN), Random(f"{self.seed}/traces")
        for number in range(self.traces):
            exercise = next(stream)
            steps, attempts, answer = self.thought(rng, exercise)
            instruction, thinking = self._told(rng, steps, attempts)
            problem = Problem(f"trace-{number}", exercise.question, instruction=instruction)
            yield {
                "id": problem.id,
                "question": problem.asked,
                "thinking": thinking,
                "answer": rf"{FINAL} $\boxed{{{answer}}}$",
                "reference": exercise.solution()[1],
                "domain": exercise.family,
                "level": exercise.level,
                "source": "zoo",
            }

    def thought(self, rng: Random, exercise: Exercise) -> tuple[list[str], int, str]:
        """(the steps of the thinking, how many attempts they are, the answer that they come to)."""
        (rounds,) = rng.choices(range(1, len(self.rounds) + 1), self.rounds)
        parts: list[str] = []
        answers: list[str] = []
        for care in self.care[:rounds]:
            if answers:
                (word,) = rng.choices(list(self.words), list(self.words.values()))
                parts.append(f"{word}, let me compute it again.\n\n")
            steps, answer = attempt(self.mistakes.scaled(care, care), rng, exercise)
            verb = "So it is" if not answers else "Again it is" if answer == answers[-1] else "Now it is"
            parts += [*steps, f"{verb} ${answer}$.\n\n"]
            answers.append(answer)
        return parts, len(answers), answers[-1]

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


def attempt(mistakes: Mistakes, rng: Random, exercise: Exercise) -> tuple[list[str], str]:
    """(the steps of a solution, its answer), with mistakes at these rates."""
    solving = exercise.instance.solve(mistakes.reasoner(rng, exercise.level))
    steps: list[str] = []
    while True:
        try:
            steps.append(f"{next(solving)}\n\n")
        except StopIteration as end:
            return steps, end.value if isinstance(end.value, str) else latex(end.value)
