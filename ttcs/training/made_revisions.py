"""Revision data that needs no policy: the generator makes the mistakes of a corpus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from random import Random
from typing import Literal

from ttcs.training.output import written
from ttcs.training.revision_data import Pool, RevisionData
from ttcs.zoo.generator import Arithmetic, Mistakes, Problems, Split


@dataclass(frozen=True, slots=True)
class MadeRevisions:
    """Stage: as `RevisionData`, but of `samples` solutions to each of many train exercises that the generator writes.

    A departure from the paper, whose pairs are a policy's own samples: a small policy that has learnt from the corpus
    errs as the corpus does, and examples of many more questions cost nothing. examples: how many lines.
    mixed, first: as there. problems: of which set.
    """

    out: str
    seed: int
    examples: int
    samples: int
    attempts: int
    per_problem: int
    mistakes: Mistakes
    mixed: float = 0.0
    first: Literal["right", "any"] = "right"
    problems: Problems = field(default_factory=Arithmetic)

    def run(self) -> None:
        pairing = RevisionData((), self.out, self.seed, self.attempts, self.per_problem, self.mixed, self.first)
        examples = (
            example for number, pool in enumerate(self._pools(), 1) for example in pairing.examples(f"s{number}", pool)
        )
        written(self.out, (asdict(example) for example in islice(examples, self.examples)))

    def _pools(self) -> Iterator[Pool]:
        stream = self.problems.exercises(f"{self.seed}/revisions", Split.TRAIN)
        rng = Random(f"{self.seed}/revisions")
        seen: set[str] = set()
        while True:
            exercise = next(stream)
            if exercise.question in seen:
                continue
            seen.add(exercise.question)
            pool, (_, answer) = Pool(exercise.question), exercise.solution()
            for _ in range(self.samples):
                text, reached = exercise.solution(self.mistakes.reasoner(rng, exercise.level))
                (pool.right if reached == answer else pool.wrong).append(text)
            yield pool
