"""The zoo's other verifiers, and its policies that revise and think, as their yaml has them."""

from __future__ import annotations

from itertools import islice
from random import Random
from statistics import fmean
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from tests.config.test_conf import composed
from tests.prms.families import judge
from tests.simulation import Recorded, simulate
from tests.tiny import trajectory
from ttcs.choice.selection import Majority
from ttcs.config.components import build
from ttcs.config.options import CONF
from ttcs.core import Problem, Sample
from ttcs.strategies.budget_forcing import BudgetForcing
from ttcs.strategies.revisions import Revisions
from ttcs.zoo.generator import Exercise, Mistakes, Split, exercises


def solutions() -> list[tuple[Exercise, list[str], list[str]]]:
    """Validation exercises, the right solution of each and one that the corpus' wrong rules and slips lead astray."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        mistakes: Mistakes = instantiate(compose("mistakes/zoo").mistakes, _convert_="all")
    found, rng = [], Random(0)
    for exercise in islice(exercises("tests", Split.VALIDATION), 60):
        steps, answer = exercise.graded(mistakes.reasoner(rng, exercise.level))
        if answer != exercise.solution()[1]:
            found.append((exercise, exercise.graded_right(), [text for text, _ in steps]))
    return found


@pytest.mark.parametrize("name", ["zoo_orm", "zoo_weak", "zoo_revision_orm", "zoo_revision_orm_alone"])
def test_right_solutions_score_higher(name: str) -> None:
    prm = build(composed(f"prm={name}"), "prm")
    ends: dict[bool, list[float]] = {True: [], False: []}
    for exercise, *texts in solutions():
        problem = Problem(exercise.question, exercise.question)
        results = judge(prm, *(trajectory(*steps, problem=problem) for steps in texts))
        for right, result in zip((True, False), results, strict=True):
            ends[right].append(result.scores[-1])
    assert fmean(ends[True]) > fmean(ends[False])


def problems(count: int) -> list[Problem]:
    stream = exercises("tests", Split.VALIDATION)
    return [next(stream).problem(f"p{i}") for i in range(count)]


def test_the_reasoning_policy_thinks_and_wait_makes_it_think_again() -> None:
    policy: Any = build(composed("policy=zoo_reasoning", "policy.temperature=0"), "policy")
    outcomes = simulate(BudgetForcing(1, 600, 64, 1), policy=policy, problems=problems(6), selection=Majority())
    runs = [outcome.candidates[0] for outcome in outcomes.values()]
    assert all(run.finished and run.thought for run in runs)
    # One that never ends is cut off, and may go on thinking in its answer.
    ended = [run for run in runs if any(step.given and step.text == "Wait" for step in run.steps)]
    assert len(ended) >= 4
    for run in ended:
        assert "boxed" in run.solution
        assert "".join(step.text for step in run.steps if step.thinking).count(" it is $") >= 2


def test_the_revision_model_revises() -> None:
    policy: Any = build(composed("policy=zoo_revision"), "policy")
    recorded = Recorded(Revisions(4, 1, 4))
    (outcome,) = simulate(recorded, policy=policy, problems=problems(1), selection=Majority()).values()
    asked = [request for request, _ in recorded.log if isinstance(request, Sample)]
    assert [len(request.trajectories[0].history) for request in asked] == [0, 1, 2, 3]
    assert all(candidate.finished for candidate in outcome.candidates)
