"""The trained pair of the chains, through `import ttcs`."""

from __future__ import annotations

from itertools import islice
from random import Random
from statistics import fmean, median

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

import ttcs
from tests.config.test_conf import composed
from tests.prms.families import judge
from tests.tiny import trajectory
from ttcs.answers import equivalent
from ttcs.config.components import build
from ttcs.config.options import CONF
from ttcs.core import Problem, Trajectory
from ttcs.zoo.chains.problems import Chains
from ttcs.zoo.generator import Mistakes, Split
from ttcs.zoo.reasoner import Reasoner

PAIR = ("policy=zoo_chains", "prm=zoo_chains_least", "reduction=last")


def solved(words: tuple[str, ...], limit: int) -> list[bool]:
    problems = {problem.id: problem for problem in ttcs.dataset("dataset=zoo_chains", f"dataset.limit={limit}")}
    with ttcs.solver(*words) as solver:
        answers = {found.record.problem_id: found.answer for found in solver.map(problems.values())}
    assert answers.keys() == problems.keys()
    return [equivalent(answers[name] or "", problem.answer or "?") for name, problem in problems.items()]


def test_the_exact_model_solves_chains_without_a_mistake() -> None:
    assert all(solved(("policy=zoo_chains_exact", "strategy=greedy", "selection=majority"), 10))


def test_a_search_by_steps_under_it_solves_what_the_policy_alone_does_not() -> None:
    alone = solved(("policy=zoo_chains", "strategy=greedy", "selection=majority"), 10)
    assert sum(solved((*PAIR, "strategy=beam_search", "n=16"), 10)) > sum(alone)


@pytest.mark.parametrize("name", ["zoo_chains", "zoo_chains_least"])
def test_a_check_that_slips_leaves_a_right_solution_as_good_as_it_was(name: str) -> None:
    prm, apart = build(composed(f"prm={name}"), "prm"), []
    for exercise in islice(Chains().exercises("tests", Split.VALIDATION), 6):
        problem, steps = Problem(exercise.question, exercise.question), exercise.graded_right()
        check = steps[-2]
        slipped = check[: check.rindex(":")].replace("yes", "no", 1) + ": does not fit.\n\n"
        texts = ([*steps[:-2], said, steps[-1]] for said in (check, slipped))
        right, botched = judge(prm, *(trajectory(*text, problem=problem) for text in texts))
        assert botched.scores[:-1] == pytest.approx(right.scores[:-1], abs=1e-5)
        assert right.scores[-2] == right.scores[-3]
        apart.append(abs(botched.scores[-1] - right.scores[-1]))
    assert median(apart) < 0.05  # the answer goes on from the check, which makes a model doubt it now and then


@pytest.mark.parametrize("name", ["zoo_chains_trained", "zoo_chains_weak", "zoo_chains_orm"])
def test_right_chains_score_higher_under_a_trained_verifier(name: str) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        mistakes: Mistakes = instantiate(compose("mistakes/zoo_chains").mistakes, _convert_="all")
    rng, solutions = Random(0), list[tuple[bool, Trajectory]]()
    for exercise in islice(Chains().exercises("tests", Split.VALIDATION), 40):
        problem = Problem(exercise.question, exercise.question)
        for reason in (Reasoner(), mistakes.reasoner(rng, exercise.level)):
            found = exercise.attempt(reason)
            solutions.append((found.answer == exercise.chain.answer, trajectory(*found.steps, problem=problem)))
    results = judge(build(composed(f"prm={name}"), "prm"), *(solution for _, solution in solutions))
    ends: dict[bool, list[float]] = {True: [], False: []}
    for (right, _), result in zip(solutions, results, strict=True):
        ends[right].append(result.scores[-1])
    assert fmean(ends[True]) > fmean(ends[False])
