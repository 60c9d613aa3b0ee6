"""The zoo's exercises as a data set to draw rollouts for."""

from __future__ import annotations

from ttcs.core import Problem
from ttcs.zoo.generator import Problems, Split


def train_exercises(seed: int, size: int, problems: Problems) -> tuple[Problem, ...]:
    """`size` distinct exercises of the train split, families and levels drawn uniformly. problems: of which set."""
    stream = problems.exercises(f"{seed}/rollouts", Split.TRAIN)
    drawn: dict[str, Problem] = {}
    while len(drawn) < size:
        exercise = next(stream)
        if exercise.question not in drawn:
            drawn[exercise.question] = exercise.problem(f"rollout-{len(drawn)}")
    return tuple(drawn.values())
