from __future__ import annotations

import math
from dataclasses import replace

import pytest

from ttcs.core import Continue, Continued, Problem, Stop, Trajectory
from ttcs.policies.scripted import ScriptedPolicy, is_right

PROBLEM = Problem("p", "What is 1 and 1?", "2", level=2)


def ask(seed: int = 0, trajectory: Trajectory | None = None, temperature: float | None = None) -> Continue:
    return Continue(trajectory or Trajectory(PROBLEM), None, None, temperature, seed)


def solutions(policy: ScriptedPolicy, n: int, problem: Problem = PROBLEM) -> list[Trajectory]:
    root = Trajectory(problem)
    return [root.extend(policy.continued(ask(seed, root)).steps) for seed in range(n)]


def test_the_seed_decides() -> None:
    policy = ScriptedPolicy()
    assert policy.continued(ask(1)) == policy.continued(ask(1)) != policy.continued(ask(2))


def test_temperature_zero_ignores_the_seed() -> None:
    policy = ScriptedPolicy()
    assert policy.continued(ask(1, temperature=0.0)) == policy.continued(ask(2, temperature=0.0))


def test_greedy_step_by_step_is_greedy_at_once() -> None:
    policy = ScriptedPolicy()
    whole = Trajectory(PROBLEM).extend(policy.continued(ask(temperature=0.0)).steps)
    grown = Trajectory(PROBLEM)
    while grown.live:
        grown = grown.extend(policy.continued(replace(ask(0, grown, 0.0), max_steps=1)).steps)
    assert grown == whole


def test_the_answer_is_right_exactly_when_every_step_is() -> None:
    answers = {True: set[bool](), False: set[bool]()}
    for solution in solutions(ScriptedPolicy(), 200):
        assert solution.finished and 3 <= len(solution.steps) <= 6
        answers[is_right(solution)].add("\\boxed{2}" in solution.text)
    assert answers == {True: {True}, False: {False}}


def test_an_error_stays() -> None:
    for solution in solutions(ScriptedPolicy(), 50):
        marks = [" err " in step.text for step in solution.steps]
        assert marks == sorted(marks)


@pytest.mark.parametrize("level", [1, 3, 5])
def test_accuracy_is_by_level(level: int) -> None:
    policy = ScriptedPolicy(min_depth=3, max_depth=3)
    found = sum(map(is_right, solutions(policy, 2000, replace(PROBLEM, level=level)))) / 2000
    assert found == pytest.approx(policy.accuracy[level - 1] ** 3, abs=0.04)


@pytest.mark.parametrize(("misconception", "popular"), [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)])
def test_wrong_answers_can_agree(misconception: float, popular: float) -> None:
    wrong = [s for s in solutions(ScriptedPolicy(misconception=misconception), 2000) if not is_right(s)]
    assert sum("{x0}" in s.text for s in wrong) / len(wrong) == pytest.approx(popular, abs=0.06)


def test_max_steps() -> None:
    result = ScriptedPolicy().continued(replace(ask(), max_steps=2))
    assert [step.stop for step in result.steps] == [Stop.STEP, Stop.STEP]


@pytest.mark.parametrize("limit", [1, 5, 12, 29])
def test_step_tokens(limit: int) -> None:
    policy = ScriptedPolicy(step_tokens=limit)
    assert policy.continued(ask()) == ScriptedPolicy().continued(ask())
    free, steps = (one.continued(replace(ask(), max_steps=9)).steps for one in (ScriptedPolicy(), policy))
    for short, long in zip(steps, free, strict=False):
        assert short == long or (short.stop is Stop.STEP_LENGTH and short.tokens == long.tokens[:limit])
        assert len(short.tokens) <= limit
    assert len(steps) == len(free) or steps[-1].stop is Stop.STEP_LENGTH


@pytest.mark.parametrize("limit", range(1, 120))
def test_max_tokens(limit: int) -> None:
    whole = ScriptedPolicy().continued(ask())
    length = sum(len(step.tokens) for step in whole.steps)
    for policy, request, cut in (
        (ScriptedPolicy(max_tokens=limit), ask(), Stop.LENGTH),
        (ScriptedPolicy(), replace(ask(), max_tokens=limit), Stop.LENGTH),
        (ScriptedPolicy(), replace(ask(), max_tokens=limit, capped=True), Stop.BUDGET),
    ):
        result = policy.continued(request)
        tokens = [token for step in result.steps for token in step.tokens]
        assert tokens == [token for step in whole.steps for token in step.tokens][:limit]
        assert all(step.stop is Stop.STEP and step.tokens for step in result.steps[:-1])
        assert result.steps[-1].stop is (Stop.END if limit >= length else cut)


def test_counts_the_prefix_and_what_is_cached() -> None:
    policy = ScriptedPolicy()
    first = policy.continued(replace(ask(), max_steps=1))
    assert (first.prompt_tokens, first.cached_tokens) == (5, 0)
    second = policy.continued(ask(0, Trajectory(PROBLEM).extend(first.steps)))
    assert (second.prompt_tokens, second.cached_tokens) == (5 + len(first.steps[0].tokens), second.prompt_tokens - 1)


def engine_steps(policy: ScriptedPolicy, n: int) -> list[list[tuple[int, Continued]]]:
    for seed in range(n):
        policy.add(seed, ask(seed))
    done: list[list[tuple[int, Continued]]] = []
    while sum(map(len, done)) < n:
        done.append(policy.step())
    return done


def test_capacity() -> None:
    assert [len(done) for done in engine_steps(ScriptedPolicy(capacity=4), 10)] == [4, 4, 2]


def test_pace_lets_long_requests_end_later() -> None:
    ends = {}
    for now, done in enumerate(engine_steps(ScriptedPolicy(pace=10), 20), start=1):
        for ticket, result in done:
            ends[ticket] = (now, sum(len(step.tokens) for step in result.steps))
    assert len(ends) == 20
    assert all(10 * (now - 1) < tokens <= 10 * now for now, tokens in ends.values())


def test_shuffle_changes_the_order_and_nothing_else() -> None:
    (plain,), (shuffled,) = engine_steps(ScriptedPolicy(), 20), engine_steps(ScriptedPolicy(shuffle=True), 20)
    assert plain != shuffled
    assert dict(plain) == dict(shuffled)


def test_spread_makes_problems_of_a_level_differ() -> None:
    """The median problem keeps its accuracy; shares of right solutions differ by more than chance."""
    policy = ScriptedPolicy(min_depth=1, max_depth=1, spread=2.0)
    shares = [
        sum(map(is_right, solutions(policy, 100, replace(PROBLEM, id=f"p{number}", level=5)))) / 100
        for number in range(200)
    ]
    assert sorted(shares)[100] == pytest.approx(policy.accuracy[4], abs=0.1)
    assert sum(share < 0.3 for share in shares) > 30 and sum(share > 0.9 for share in shares) > 30


def test_a_log_probability_that_is_asked_for_is_not_known() -> None:
    policy = ScriptedPolicy()
    untold, told = (
        policy.continued(Continue(Trajectory(Problem("p", "?")), None, None, None, 0, logprobs=wanted))
        for wanted in (False, True)
    )
    assert all(step.logprobs is None for step in untold.steps)
    for step in told.steps:
        assert step.logprobs is not None and len(step.logprobs) == len(step.tokens)
        assert all(map(math.isnan, step.logprobs))
