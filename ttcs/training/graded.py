"""Solutions graded step by step against the worked solution of their exercise: what a PRM can be warmed up on.

Lines as the rollouts stage writes them, with one key more: `right`, how many characters of the first wrong step are
still right (null: no step is wrong). The generator's solutions are deterministic, so what departs from them is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile
from random import Random
from typing import Any

from rich.progress import track

from ttcs.core import Continue, Continued, Policy, Problem, Trajectory
from ttcs.training.output import there, written
from ttcs.zoo.generator import Arithmetic, Mistakes, Problems, Split, Worked, exercises


@dataclass(frozen=True, slots=True)
class GradedSolutions:
    """Stage: solutions with the mistakes of a corpus. Where `out` is there it is left as it is.

    slips, misconceptions: factors on the corpus' rates; slips are hard to see for a verifier, so it needs many.
    split: of the exercises; `validation` for what a verifier is to be judged by.
    """

    out: str
    seed: int
    solutions: int
    mistakes: Mistakes
    slips: float = 1.0
    misconceptions: float = 1.0
    split: str = "train"

    def run(self) -> None:
        if not there(self.out):
            written(self.out, self._lines())

    def _lines(self) -> Iterator[dict[str, Any]]:
        stream, rng = exercises(f"{self.seed}/graded", Split(self.split)), Random(f"{self.seed}/graded/mistakes")
        mistakes = self.mistakes.scaled(self.slips, self.misconceptions)
        for number, exercise in enumerate(islice(stream, self.solutions)):
            steps, _ = exercise.graded(mistakes.reasoner(rng, exercise.level))
            yield graded(f"graded-{number}", exercise, [text for text, _ in steps])


@dataclass(frozen=True, slots=True)
class GradedSamples:
    """Stage: solutions of the policy, `per_problem` each, at temperatures drawn from `temperatures`.

    What is not finished, or reaches the right answer by another way, is left out. problems: of which set. shard,
    shards: this process draws `solutions / shards` of the solutions, from exercises of its own. Where `out` is there it
    is left as it is.
    """

    out: str
    seed: int
    solutions: int
    per_problem: int
    temperatures: Sequence[float]
    policy: Policy
    shard: int = 0
    shards: int = 1
    problems: Problems = field(default_factory=Arithmetic)

    def run(self) -> None:
        if not there(self.out):
            written(self.out, self._lines())

    def _lines(self) -> Iterator[dict[str, Any]]:
        samples = track(self._samples(), total=self.solutions // self.shards, description="samples")
        for number, (exercise, continued) in enumerate(samples):
            texts = [step.text for step in continued.steps if not step.blank]
            line = graded(f"sample-{number}", exercise, texts)
            reached = texts[-1:] == [exercise.graded_right()[-1]]
            if Trajectory(_problem(exercise)).extend(continued.steps).finished and line["correct"] == reached:
                yield line

    def _samples(self) -> Iterator[tuple[Worked, Continued]]:
        stream, rng = (
            self.problems.exercises(f"{self.seed}/{self.shard}/samples", Split.TRAIN),
            Random(f"{self.seed}/{self.shard}/draws"),
        )
        waiting: dict[int, Worked] = {}
        asked = 0
        while asked < self.solutions // self.shards or waiting:
            while asked < self.solutions // self.shards and len(waiting) < self.policy.capacity:
                if asked % self.per_problem == 0:
                    exercise = next(stream)
                temperature = rng.choice(self.temperatures)
                start = Trajectory(_problem(exercise))
                self.policy.add(asked, Continue(start, None, None, temperature, rng.getrandbits(63)))
                waiting[asked] = exercise
                asked += 1
            for ticket, continued in self.policy.step():
                yield waiting.pop(ticket), continued


def graded(name: str, exercise: Worked, texts: Sequence[str]) -> dict[str, Any]:
    """A line: labels are 1 while everything is as in the worked solution, 0 after.

    A remark, where the worked solution has one, is as right as the steps before it: it leaves the answer as it is.
    """
    worked = exercise.graded_right()
    same = [i < len(worked) and _same(exercise, text, worked[i]) for i, text in enumerate(texts)]
    first = same.index(False) if False in same else len(texts)
    right: int | None = None
    if first < len(texts):
        wanted = worked[first].strip() if first < len(worked) else ""
        pairs = zip(texts[first].strip(), wanted, strict=False)
        right = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return {
        "problem_id": name,
        "question": exercise.question,
        "correct": first == len(texts) == len(worked),
        "steps": list(texts),
        "labels": [float(place < first) for place in range(len(texts))],
        "right": right,
    }


def _same(exercise: Worked, text: str, wanted: str) -> bool:
    return text.strip() == wanted.strip() or (exercise.remark(text) and exercise.remark(wanted))


def _problem(exercise: Worked) -> Problem:
    return Problem(exercise.question, exercise.question)
