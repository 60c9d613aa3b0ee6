"""Revision data that needs no policy: the generator makes the mistakes of a corpus."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Literal

from ttcs.config.writable import made
from ttcs.records.folder import write_lines
from ttcs.training.revision_data import Pool, RevisionData
from ttcs.zoo.generator import Mistakes, Split, exercises


@dataclass(frozen=True, slots=True)
class MadeRevisions:
    """Stage: as `RevisionData`, but of `samples` solutions to each of many train exercises that the generator writes.

    A departure from the paper, whose pairs are a policy's own samples: a small policy that has learnt from the corpus
    errs as the corpus does, and examples of many more questions cost nothing. examples: how many lines.
    mixed, first: as there.
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

    def run(self) -> None:
        pairing = RevisionData((), self.out, self.seed, self.attempts, self.per_problem, self.mixed, self.first)
        examples = (
            example for number, pool in enumerate(self._pools(), 1) for example in pairing.examples(f"s{number}", pool)
        )
        path = Path(self.out)
        made(path.parent)
        write_lines(path, (example.to_json() + "\n" for example in islice(examples, self.examples)))

    def _pools(self) -> Iterator[Pool]:
        stream, rng = exercises(f"{self.seed}/revisions", Split.TRAIN), Random(f"{self.seed}/revisions")
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
