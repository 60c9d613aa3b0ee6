import random
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM

from tests import tiny
from ttcs.core import Continue, Problem, Stop, Trajectory
from ttcs.errors import UserError
from ttcs.policies.transformers import TransformersPolicy

ROOT = Trajectory(tiny.PROBLEM)


def policy(batch_size=8, **changes):
    settings = {"temperature": 0.8, "top_p": 1.0, "max_tokens": 60, "batch_size": batch_size} | changes
    return TransformersPolicy(tiny.folder(), **settings)


def finish(engine, requests):
    for ticket, request in enumerate(requests):
        engine.add(ticket, request)
    results = {}
    while len(results) < len(requests):
        results.update(engine.step())
    return [results[i] for i in range(len(requests))]


def ask(trajectory=ROOT, max_steps=None, max_tokens=None, temperature=None, seed=0, **more):
    return Continue(trajectory, max_steps, max_tokens, temperature, seed, **more)


def test_greedy_is_what_generate_gives():
    engine = policy()
    (result,) = finish(engine, [ask(temperature=0.0)])
    model = AutoModelForCausalLM.from_pretrained(tiny.folder(), dtype="float32").eval()
    prompt = torch.tensor([engine._prompt(tiny.PROBLEM)])
    whole = model.generate(prompt, max_new_tokens=60, do_sample=False, attention_mask=torch.ones_like(prompt))[
        0, prompt.shape[1] :
    ].tolist()
    assert [token for step in result.steps for token in step.tokens] == whole
    assert result.prompt_tokens == prompt.shape[1]


def test_results_do_not_depend_on_the_batch():
    problems = [Problem(str(i), f"Compute ${i} + {i * 7}$.") for i in range(6)]
    requests = [ask(Trajectory(p), seed=1000 + 10 * i + k) for i, p in enumerate(problems) for k in range(3)]
    alone = finish(policy(1), requests)
    together = finish(policy(32), requests)
    shuffled = list(range(len(requests)))
    random.Random(0).shuffle(shuffled)
    mixed = dict(zip(shuffled, finish(policy(5), [requests[i] for i in shuffled]), strict=True))
    for i, result in enumerate(alone):
        assert result.steps == together[i].steps == mixed[i].steps


def test_logprobs_are_the_model_s_own_and_only_where_asked_for():
    engine = policy(temperature=0.5, top_p=0.9)
    told, untold = finish(engine, [ask(seed=3, logprobs=True), ask(seed=3)])
    assert [step.tokens for step in told.steps] == [step.tokens for step in untold.steps]
    assert all(step.logprobs is None for step in untold.steps)
    model = AutoModelForCausalLM.from_pretrained(tiny.folder(), dtype="float32").eval()
    prompt, made = engine._prompt(tiny.PROBLEM), [token for step in told.steps for token in step.tokens]
    with torch.no_grad():
        logits = model(torch.tensor([[*prompt, *made]])).logits[0, len(prompt) - 1 : -1]
    expected = torch.log_softmax(logits, -1)[torch.arange(len(made)), made]
    assert [value for step in told.steps for value in step.logprobs] == pytest.approx(expected.tolist(), abs=1e-4)


def test_a_suppressed_end_gives_way_to_the_likeliest_other_token_and_only_as_the_first():
    engine = policy()
    plain, (first, *_) = finish(engine, [ask(temperature=0.0)])[0], finish(engine, [ask(temperature=0.0)])[0].steps
    engine.rules = replace(engine.rules, ends=engine.rules.ends | {first.tokens[0]})
    ended, other = finish(engine, [ask(temperature=0.0), ask(temperature=0.0, suppress=True)])
    assert ended.steps[0].tokens == plain.steps[0].tokens[:1] and ended.steps[0].stop is Stop.END
    model = AutoModelForCausalLM.from_pretrained(tiny.folder(), dtype="float32").eval()
    with torch.no_grad():
        logits = model(torch.tensor([engine._prompt(tiny.PROBLEM)])).logits[0, -1]
    logits[list(engine.rules.suppressed)] = -torch.inf
    assert other.steps[0].tokens[0] == int(logits.argmax())
    with torch.no_grad():
        logits = model(torch.tensor([[*engine._prompt(tiny.PROBLEM), other.steps[0].tokens[0]]])).logits[0, -1]
    assert other.steps[0].tokens[1] == int(logits.argmax())


def test_same_seed_same_sample_other_seed_other_sample():
    one, same, other = finish(policy(), [ask(seed=1), ask(seed=1), ask(seed=2)])
    assert one.steps == same.steps != other.steps


def test_step_by_step_at_temperature_zero_is_the_whole_solution():
    engine = policy()
    (whole,) = finish(engine, [ask(temperature=0.0)])
    trajectory, cached = ROOT, 0
    while trajectory.live:
        (result,) = finish(engine, [ask(trajectory, max_steps=1, temperature=0.0)])
        assert result.cached_tokens >= cached  # what was decoded before is not computed again
        cached = result.prompt_tokens - 1 if result.cached_tokens else 0
        assert result.cached_tokens in (0, result.prompt_tokens - 1)
        trajectory = trajectory.extend(result.steps)
    assert trajectory.tokens == tuple(t for step in whole.steps for t in step.tokens)


def test_a_prompt_is_computed_once_for_all_its_samples():
    results = finish(policy(), [ask(seed=i) for i in range(5)])
    assert [r.cached_tokens for r in results] == [0] + [results[0].prompt_tokens - 1] * 4


def test_the_prompt_has_one_bos_and_ends_where_the_assistant_speaks():
    engine = policy()
    ids = engine._prompt(tiny.PROBLEM)
    assert ids.count(engine.tokenizer.bos_token_id) == 1
    assert engine.tokenizer.decode(ids).endswith("<|start_header_id|>assistant<|end_header_id|>\n\n")


def test_limits_have_their_own_stop_reasons():
    engine = policy(end_at_box=False)
    long, capped = finish(engine, [ask(seed=3), ask(seed=3, max_tokens=4, capped=True)])
    assert long.steps[-1].stop in (Stop.LENGTH, Stop.END)
    assert sum(len(s.tokens) for s in capped.steps) == 4
    assert capped.steps[-1].stop is Stop.BUDGET
    assert sum(len(s.tokens) for s in long.steps) <= 60


def test_no_room_left_is_said_and_costs_nothing():
    engine = policy(max_tokens=5)
    (first,) = finish(engine, [ask(seed=0)])
    spent = ROOT.extend(first.steps)
    (result,) = finish(engine, [ask(spent, seed=1)])
    assert [(s.tokens, s.stop) for s in result.steps] == [((), Stop.LENGTH)]


@pytest.mark.parametrize("changes", [{"temperature": -1.0}, {"top_p": 0.0}])
def test_bad_settings(changes):
    with pytest.raises(UserError):
        policy(**changes)


def test_a_folder_without_a_tokenizer(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match="no tokenizer"):
        TransformersPolicy(str(tmp_path), 0.8, 1.0, 10, 1)


def test_a_cache_too_small_for_the_prompts_changes_nothing_but_the_cost():
    problems = [Problem(str(i), f"Compute ${i} + {i * 7}$.") for i in range(4)]
    requests = [ask(Trajectory(p), max_steps=1, seed=7 * i + k) for i, p in enumerate(problems) for k in range(2)]
    for one, other in zip(finish(policy(cache_gb=8e-6), requests), finish(policy(), requests), strict=True):
        assert one.steps == other.steps
        assert one.cached_tokens <= other.cached_tokens
