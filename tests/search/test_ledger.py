from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulation import PROBLEMS, STRATEGIES, CountingPolicy, CountingPRM, Recorded, one, simulate
from ttcs.core import Continue, Continued, ModelSize, Problem, Sample, Step, Stop, Trajectory
from ttcs.search.budget import Budget
from ttcs.search.ledger import Ledger, flops

SIZE = ModelSize("tiny", parameters=1000, layers=2, hidden=8)


@given(st.integers(0, 60), st.integers(0, 60))
def test_flops_by_hand(start: int, more: int) -> None:
    end = start + more
    matrices = 2 * SIZE.parameters * more
    attention = sum(SIZE.layers * 2 * (2 * SIZE.hidden * (position + 1)) for position in range(start, end))
    assert flops(SIZE, start, end) == matrices + attention


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_flops_add_up(a: int, b: int, c: int) -> None:
    start, middle, end = sorted((a, b, c))
    assert flops(SIZE, start, end) == flops(SIZE, start, middle) + flops(SIZE, middle, end)


def test_budget_left() -> None:
    ledger = Ledger(generations=3, decoded_tokens=40, policy_flops=5, prm_flops=6)
    assert Budget(4, 50, 20).left(ledger) == Budget(1, 10, 9)
    assert Budget().left(ledger) == Budget()


@pytest.mark.parametrize("name", STRATEGIES)
def test_equals_what_the_engines_counted(name: str) -> None:
    policy, prm = CountingPolicy(), CountingPRM()
    ledger = one(STRATEGIES[name], policy=policy, prm=prm).ledger
    given, judged = policy.given.values(), prm.given.values()
    assert ledger.policy_calls == len(policy.asked) == len(given)
    assert ledger.prompt_tokens == sum(result.prompt_tokens for result in given)
    assert ledger.cached_tokens == sum(result.cached_tokens for result in given)
    assert ledger.decoded_tokens == sum(len(step.tokens) for result in given for step in result.steps)
    assert ledger.prm_calls == len(prm.asked) == len(judged)
    assert ledger.prm_tokens == sum(result.tokens - result.cached_tokens for result in judged)
    assert ledger.prm_cached_tokens == sum(result.cached_tokens for result in judged)
    assert ledger.prm_flops == sum(flops(prm.size, result.cached_tokens, result.tokens) for result in judged)
    assert all(step.tokens for result in given for step in result.steps)
    read = [result.prompt_tokens + sum(len(step.tokens) for step in result.steps) - 1 for result in given]
    starts = [result.cached_tokens for result in given]
    assert ledger.policy_flops == sum(flops(policy.size, *span) for span in zip(starts, read, strict=True))


def charged(prompt: int, cached: int, *lengths: int) -> Ledger:
    """A ledger with one continuation by steps of so many tokens."""
    steps = tuple(Step(-1, (1,) * length, "x", Stop.STEP) for length in lengths)
    request = Continue(Trajectory(Problem("p", "?")), len(lengths), None, None, 0)
    ledger = Ledger()
    ledger.charge_policy(SIZE, request, Continued(steps, prompt, cached), lookahead=False)
    return ledger


def test_the_last_token_is_sampled_but_not_read() -> None:
    assert charged(5, 0, 1).policy_flops == flops(SIZE, 0, 5)
    assert charged(5, 4, 1).policy_flops == flops(SIZE, 4, 5)
    assert charged(5, 2, 3, 4).policy_flops == flops(SIZE, 2, 11)


def test_no_room_for_a_token_costs_no_flops() -> None:
    assert charged(5, 0, 0).policy_flops == charged(5, 0).policy_flops == 0


@given(st.integers(1, 40), st.lists(st.integers(1, 30), min_size=1, max_size=8))
def test_step_by_step_costs_what_the_whole_costs_if_all_that_was_read_is_cached(prompt: int, steps: list[int]) -> None:
    whole = charged(prompt, 0, *steps)
    starts = [prompt + sum(steps[:i]) for i in range(len(steps))]
    stepwise = [charged(start, start - 1 if i else 0, steps[i]) for i, start in enumerate(starts)]
    assert sum(ledger.policy_flops for ledger in stepwise) == whole.policy_flops
    assert sum(ledger.decoded_tokens for ledger in stepwise) == whole.decoded_tokens == sum(steps)


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_decoded_token_is_kept_discarded_or_lookahead(name: str) -> None:
    recorded = Recorded(STRATEGIES[name])
    outcome = one(recorded)
    rollouts = [
        sum(len(step.tokens) for step in after.steps[len(before.steps) :])
        for request, reply in recorded.log
        if isinstance(request, Sample) and request.lookahead
        for before, after in zip(request.trajectories, reply, strict=True)
    ]
    sampled = {node.step.node: len(node.step.tokens) for node in outcome.tree if not node.step.given}
    kept = {step.node: len(step.tokens) for c in outcome.candidates for step in c.steps if step.node in sampled}
    pruned = sum(length for node, length in sampled.items() if node not in kept)
    ledger = outcome.ledger
    assert ledger.lookahead_tokens == sum(rollouts)
    assert ledger.discarded_tokens == pruned
    assert ledger.decoded_tokens == sum(kept.values()) + pruned + sum(rollouts)
    assert ledger.seconds > 0


def test_a_longer_question_is_a_longer_prompt() -> None:
    longer = replace(PROBLEMS[0], question=PROBLEMS[0].question + " Think about it.")
    (short,) = simulate(STRATEGIES["best_of_n"], problems=PROBLEMS[:1]).values()
    (long,) = simulate(STRATEGIES["best_of_n"], problems=[longer]).values()
    assert long.ledger.prompt_tokens == short.ledger.prompt_tokens + 3 * 8
    assert long.ledger.decoded_tokens == short.ledger.decoded_tokens
