"""The zoo's policy on vLLM against the same on transformers, in float32."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from tests.simulation import simulate
from tests.vllm.asking import ask, finish
from ttcs.answers.extraction import extract
from ttcs.choice.selection import Majority
from ttcs.core import Problem, Step, Stop, Trajectory, Turn
from ttcs.models.reasoning import ReasoningFormat, Thinking
from ttcs.policies.transformers import TransformersPolicy
from ttcs.policies.vllm import STRIDE, VLLMPolicy
from ttcs.strategies.budget_forcing import BudgetForcing

Pair = tuple[VLLMPolicy, TransformersPolicy]
SAMPLES = 300


@pytest.fixture
def pair(policy: VLLMPolicy, plain_policy: TransformersPolicy) -> Pair:
    policy.reset()
    plain_policy.reset()
    return policy, plain_policy


@pytest.fixture
def prefixes(plain_policy: TransformersPolicy, problems: tuple[Problem, ...]) -> list[Trajectory]:
    """Begun solutions, sampled: none, one or more steps of each problem."""
    requests = [ask(Trajectory(problem), seed=seed) for problem in problems for seed in range(3)]
    sampled = finish(plain_policy, requests)
    begun = [request.trajectory.extend(result.steps) for request, result in zip(requests, sampled, strict=True)]
    return [whole.prefix(place % len(whole.steps)) for place, whole in enumerate(begun)]


def test_logprobs_are_the_same(pair: Pair, prefixes: list[Trajectory]) -> None:
    asked = [ask(prefix, 2, temperature=0.0, logprobs=True) for prefix in prefixes]
    for one, other in zip(*(finish(policy, asked) for policy in pair), strict=True):
        assert [step.tokens for step in one.steps] == [step.tokens for step in other.steps]
        for step, same in zip(one.steps, other.steps, strict=True):
            assert step.logprobs == pytest.approx(same.logprobs, abs=1e-3)


@pytest.mark.parametrize("max_steps", [None, 1, 2])
@pytest.mark.parametrize("max_tokens", [None, 7])
@pytest.mark.parametrize("end_at_box", [False, True])
def test_greedy_steps_are_the_same(
    pair: Pair,
    prefixes: list[Trajectory],
    max_steps: int | None,
    max_tokens: int | None,
    end_at_box: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = []
    for policy in pair:
        monkeypatch.setattr(policy, "rules", replace(policy.rules, end_at_box=end_at_box))
        requests = [ask(prefix, max_steps, max_tokens=max_tokens, temperature=0.0) for prefix in prefixes]
        found.append(finish(policy, requests))
    for ours, theirs in zip(*found, strict=True):
        assert (ours.steps, ours.prompt_tokens) == (theirs.steps, theirs.prompt_tokens)


def test_steps_are_the_same_where_the_engine_is_not_told_how_they_end(
    pair: Pair, prefixes: list[Trajectory], monkeypatch: pytest.MonkeyPatch
) -> None:
    policy, plain = pair
    monkeypatch.setattr(policy, "_step", sorted(policy.rules.ends))
    requests = [ask(prefix, 1, temperature=0.0) for prefix in prefixes]
    ours, theirs = (finish(engine, requests) for engine in (policy, plain))
    assert [one.steps for one in ours] == [other.steps for other in theirs]
    assert any(one.unseen for one in ours) and all(one.unseen < STRIDE for one in ours)


def test_of_the_likeliest_token_alone_the_samples_are_greedy(
    pair: Pair, prefixes: list[Trajectory], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = finish(pair[1], [ask(prefix, 1, temperature=0.0) for prefix in prefixes])
    for policy in pair:
        monkeypatch.setattr(policy, "top_k", 1)
        found = finish(policy, [ask(prefix, 1, temperature=0.8, seed=5) for prefix in prefixes])
        assert [one.steps for one in found] == [other.steps for other in expected]


def test_the_engine_serves_the_oldest_first_and_says_what_it_caches(policy: VLLMPolicy) -> None:
    """cache_tokens: in the memory that the configuration gives it, 1 GB on CPU, but for a part of a block."""
    config = policy._engine._engine.vllm_config
    assert config.scheduler_config.policy == "priority"
    model = config.model_config.hf_config
    size = getattr(model, "head_dim", None) or model.hidden_size // model.num_attention_heads
    token = 2 * model.num_hidden_layers * model.num_key_value_heads * size * 4  # bytes of keys and values in float32
    assert policy.cache_tokens == pytest.approx(2**30 / token, rel=0.05)
    assert policy.batched_tokens is None and policy.exact  # on CPU


def test_the_model_reads_as_much_as_its_config_says_where_the_memory_holds_it(policy: VLLMPolicy) -> None:
    assert (policy._engine.context, policy.capacity) == (1024, 64)


def test_what_follows_earlier_attempts_is_the_same(pair: Pair, problems: tuple[Problem, ...]) -> None:
    plain = pair[1]
    firsts = finish(plain, [ask(Trajectory(problem), seed=seed) for seed, problem in enumerate(problems)])
    tried = [Trajectory(problem).extend(result.steps) for problem, result in zip(problems, firsts, strict=True)]
    asked = [ask(Trajectory(one.problem, history=(Turn(one, "Try again."),) * 2), temperature=0.0) for one in tried]
    found = [finish(policy, asked) for policy in pair]
    for ours, theirs in zip(*found, strict=True):
        assert (ours.steps, ours.prompt_tokens) == (theirs.steps, theirs.prompt_tokens)
    alone = finish(plain, [ask(Trajectory(problem), temperature=0.0) for problem in problems])
    assert all(one.prompt_tokens < other.prompt_tokens for one, other in zip(alone, found[0], strict=True))


def test_stop_reasons(pair: Pair, problems: tuple[Problem, ...]) -> None:
    root = Trajectory(problems[0])
    for policy in pair:
        budget, step, end = finish(
            policy,
            [
                ask(root, max_tokens=4, capped=True, temperature=0.0),
                ask(root, 1, temperature=0.0),
                ask(root, temperature=0.0),
            ],
        )
        assert [result.steps[-1].stop for result in (budget, step, end)] == [Stop.BUDGET, Stop.STEP, Stop.END]


def test_where_the_context_ends(pair: Pair, problems: tuple[Problem, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too long is marked, the rest goes on."""
    policy, plain = pair
    token = policy.tokenizer("the", add_special_tokens=False).input_ids[0]
    used = len(policy._prompt(problems[0]))
    begun = [
        Trajectory(problems[0], (Step(0, (token,) * (length - used), "the " * (length - used), Stop.STEP),))
        for length in (1024, 1023, 1019)
    ]
    for engine in pair:
        monkeypatch.setattr(engine, "rules", replace(engine.rules, max_tokens=4096))
    requests = [ask(trajectory, temperature=0.0) for trajectory in [*begun, Trajectory(problems[1])]]
    found = finish(policy, requests)
    assert [result.steps for result in found] == [result.steps for result in finish(plain, requests)]
    assert [len(result.steps[-1].tokens) for result in found[:3]] == [0, 1, 5]
    assert [result.steps[-1].stop for result in found] == [Stop.LENGTH] * 3 + [Stop.END]


def test_the_same_seed_gives_the_same_and_another_another(policy: VLLMPolicy, problems: tuple[Problem, ...]) -> None:
    requests = [ask(Trajectory(problem), seed=seed) for problem in problems for seed in (1, 2)]
    first = finish(policy, requests)
    again = finish(policy, requests[::-1])[::-1]
    assert [result.steps for result in first] == [result.steps for result in again]
    assert sum(a.steps != b.steps for a, b in zip(first[::2], first[1::2], strict=True)) >= 4


def answers(policy: VLLMPolicy | TransformersPolicy, problem: Problem, temperature: float) -> Counter[str | None]:
    requests = [ask(Trajectory(problem), temperature=temperature, seed=seed) for seed in range(SAMPLES)]
    texts = ("".join(step.text for step in result.steps) for result in finish(policy, requests))
    return Counter(extract(text) for text in texts)


def p_value(one: Counter[str | None], other: Counter[str | None]) -> float:
    """Of the hypothesis that both are drawn from the same distribution; rare answers count as one."""
    common = [answer for answer, count in (one + other).items() if count >= 10]
    table = np.array([[counter[answer] for answer in common] for counter in (one, other)])
    rest = np.array([[SAMPLES - sum(row)] for row in table])
    table = np.hstack([table, rest]) if rest.sum() >= 10 else table
    return float(chi2_contingency(table).pvalue)


@pytest.mark.parametrize("temperature", [0.8])
def test_samples_have_the_same_distribution(pair: Pair, problems: tuple[Problem, ...], temperature: float) -> None:
    policy, plain = pair
    values = []
    for problem in problems[:3]:
        ours = answers(policy, problem, temperature)
        values.append(p_value(ours, answers(plain, problem, temperature)))
        assert p_value(ours, answers(plain, problem, 1.6)) < 1e-3  # the test can tell
    assert min(values) > 1e-3


def test_more_prompts_than_the_engine_reads_at_once(policy: VLLMPolicy, problems: tuple[Problem, ...]) -> None:
    """A prompt that it reads in pieces, vLLM cannot sample from with a seed on CPU."""
    token = policy.tokenizer("the", add_special_tokens=False).input_ids[0]
    begun = Step(0, (token,) * 300, "the " * 300, Stop.STEP)
    asked = [Problem(f"{number}", f"{number} {problem.question}") for number in range(10) for problem in problems]
    requests = [ask(Trajectory(problem, (begun,)), max_tokens=2, seed=3) for problem in asked]
    assert all(result.steps for result in finish(policy, requests))


def test_prefixes_are_cached(policy: VLLMPolicy, problems: tuple[Problem, ...]) -> None:
    policy.reset()
    root = Trajectory(problems[0])
    first, *others = finish(policy, [ask(root, 1, seed=seed) for seed in range(8)])
    block = 32
    assert first.cached_tokens == 0
    assert {other.cached_tokens for other in others} == {(first.prompt_tokens - 1) // block * block}
    policy.reset()
    (again,) = finish(policy, [ask(root, 1)])
    assert again.cached_tokens == 0


@pytest.mark.parametrize("text", ["Wait", ""])
def test_thinking_is_steered_the_same(
    pair: Pair, problems: tuple[Problem, ...], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The zoo's policy has never thought, but it can be made to: cut off, made to go on, and made to answer."""
    format = ReasoningFormat("", "<|start_header_id|>answer<|end_header_id|>\n\n")
    found = []
    for policy in pair:
        thinking = Thinking(format, policy.tokenizer)
        monkeypatch.setattr(policy, "rules", replace(policy.rules, thinking=thinking, end_at_box=False))
        monkeypatch.setattr(policy, "temperature", 0.0)
        strategy = BudgetForcing(1, 60, 30, waits=2, text=text)
        outcomes = simulate(strategy, policy=policy, problems=problems, selection=Majority())
        found.append({name: outcome.candidates[0].steps for name, outcome in outcomes.items()})
    assert found[0] == found[1]
    stops = {step.stop for steps in found[0].values() for step in steps if step.thinking}
    assert stops >= {Stop.CUT, Stop.THOUGHT}
