"""Solutions of the zoo's chains with mistakes, graded step by step and marked where a step is wrong by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any

from ttcs.training.graded import graded
from ttcs.training.output import there, written
from ttcs.zoo.chains.problems import Chains
from ttcs.zoo.generator import Mistakes, Split


@dataclass(frozen=True, slots=True)
class GradedChains:
    """Stage: as `GradedSolutions`, with one key more: `own`, for each step its first character that is wrong by itself,
    given the steps before it and what of it stands before (null: none is).

    A step that rightly goes on from a wrong one is right by itself: what a verifier can tell without looking back.
    """

    out: str
    seed: int
    solutions: int
    mistakes: Mistakes
    split: str = "train"

    def run(self) -> None:
        if not there(self.out):
            written(self.out, self._lines())

    def _lines(self) -> Iterator[dict[str, Any]]:
        stream = Chains().exercises(f"{self.seed}/graded", Split(self.split))
        rng = Random(f"{self.seed}/graded/mistakes")
        for number, exercise in enumerate(islice(stream, self.solutions)):
            steps = list(exercise.marked(self.mistakes.reasoner(rng, exercise.level)))
            line = graded(f"graded-{number}", exercise, [text for text, _ in steps])
            yield {**line, "own": [wrong for _, wrong in steps]}
