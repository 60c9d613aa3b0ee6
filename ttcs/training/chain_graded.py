"""Solutions of the zoo's chains with mistakes, graded step by step and marked where a step is wrong by itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from random import Random

from ttcs.training.graded import graded, opened
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
        stream = Chains().exercises(f"{self.seed}/graded", Split(self.split))
        rng = Random(f"{self.seed}/graded/mistakes")
        with opened(self.out) as file:
            for number, exercise in enumerate(islice(stream, self.solutions)):
                steps = list(exercise.marked(self.mistakes.reasoner(rng, exercise.level)))
                line = graded(f"graded-{number}", exercise, [text for text, _ in steps])
                file.write(json.dumps({**line, "own": [wrong for _, wrong in steps]}) + "\n")
