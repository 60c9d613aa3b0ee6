"""The zoo's PRM on vLLM against the same on transformers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.vllm.asking import ask, finish, judge
from ttcs.core import Problem, Trajectory
from ttcs.policies.transformers import TransformersPolicy
from ttcs.prms.transformers import TransformersPRM
from ttcs.prms.vllm import VLLMPRM

BLOCK = 32


@pytest.fixture(autouse=True)
def fresh(prm: VLLMPRM, plain_prm: TransformersPRM) -> None:
    prm.reset()
    plain_prm.reset()


@pytest.fixture(scope="module")
def solutions(plain_policy: TransformersPolicy, problems: tuple[Problem, ...]) -> list[Trajectory]:
    requests = [ask(Trajectory(problem), temperature=1.0, seed=seed) for problem in problems for seed in range(4)]
    results = finish(plain_policy, requests)
    return [request.trajectory.extend(result.steps) for request, result in zip(requests, results, strict=True)]


def test_scores_are_the_same(prm: VLLMPRM, plain_prm: TransformersPRM, solutions: list[Trajectory]) -> None:
    for ours, theirs in zip(judge(prm, solutions), judge(plain_prm, solutions), strict=True):
        assert ours.scores == pytest.approx(theirs.scores, abs=1e-4)
        assert ours.tokens == theirs.tokens


def test_step_by_step_is_the_same_and_reads_only_what_is_new(prm: VLLMPRM, solutions: list[Trajectory]) -> None:
    whole = judge(prm, solutions)
    prm.reset()
    computed, read = 0, 0
    for solution, expected in zip(solutions, whole, strict=True):
        known: list[float | None] = []
        for depth in range(1, len(solution.steps) + 1):
            steps = [replace(s, score=k) for s, k in zip(solution.steps[:depth], [*known, None], strict=True)]
            (result,) = judge(prm, [replace(solution, steps=tuple(steps))])
            known = list(result.scores)
            computed += result.tokens - result.cached_tokens
            read += result.tokens
        assert known == pytest.approx(expected.scores, abs=1e-4)
    per_step = sum(len(solution.steps) for solution in solutions) * BLOCK
    assert computed <= sum(result.tokens for result in whole) + per_step < read


def test_duplicates_are_read_once(prm: VLLMPRM, solutions: list[Trajectory]) -> None:
    first, second = judge(prm, [solutions[0], solutions[0]])
    (again,) = judge(prm, [solutions[0]])
    assert first.scores == second.scores == again.scores
    assert (first.cached_tokens, second.cached_tokens, again.cached_tokens) == (0, first.tokens, first.tokens)


def test_scores_on_cached_tokens_are_asked_for_again(prm: VLLMPRM, solutions: list[Trajectory]) -> None:
    before = judge(prm, solutions)
    prm._memo.clear()
    after = judge(prm, solutions)
    for one, other in zip(before, after, strict=True):
        assert one.scores == pytest.approx(other.scores, abs=1e-4)
    assert sum(result.cached_tokens for result in after) > sum(result.cached_tokens for result in before)


def test_no_more_is_computed_than_the_tree_and_a_block_a_step(prm: VLLMPRM, solutions: list[Trajectory]) -> None:
    """Side by side, siblings share what they begin with."""
    results = judge(prm, solutions)
    computed = sum(result.tokens - result.cached_tokens for result in results)
    prompts = {solution.problem.id: 0 for solution in solutions}
    assert computed < sum(result.tokens for result in results) - BLOCK * (len(solutions) - len(prompts)) / 2
