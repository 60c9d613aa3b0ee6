"""The policy behind a server, against a real one on loopback with failures on demand."""

from __future__ import annotations

import gc
import json
import random
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from tests import simulation, tiny
from tests.servers import brain
from tests.servers.fake import Fault, Log, serving
from ttcs.choice.selection import Majority
from ttcs.core import Continue, Continued, ModelSize, Problem, Stop, Trajectory
from ttcs.errors import EngineError, UserError
from ttcs.models.reasoning import ReasoningFormat
from ttcs.policies.server import ServerPolicy
from ttcs.policies.transformers import TransformersPolicy
from ttcs.search.ledger import Ledger
from ttcs.servers import client
from ttcs.servers.api import Api
from ttcs.servers.chat import Chat
from ttcs.servers.text import TextCompletions
from ttcs.servers.tokens import TokenCompletions
from ttcs.strategies.budget_forcing import BudgetForcing

ROOT = Trajectory(tiny.PROBLEM)
TOKENS = TokenCompletions({"return_token_ids": True})
TEXT = "## Step 1: add\nIt is $1$.\n\n\n## Step 2: multiply\nIt is $\\boxed{31}$.\n\nI hope it is correct."


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_WAIT", 0.01)


@pytest.fixture
def log() -> Iterator[Log]:
    with serving({"/v1/completions": brain.completions}) as log:
        yield log


def policy(log: Log, api: Api = TOKENS, **changes: Any) -> ServerPolicy:
    settings = {"temperature": 0.8, "top_p": 1.0, "max_tokens": 60, "batch_size": 8} | changes
    return ServerPolicy(tiny.folder(), log.url, api, **settings)


def local(**changes: Any) -> TransformersPolicy:
    settings = {"temperature": 0.8, "top_p": 1.0, "max_tokens": 60, "batch_size": 8} | changes
    return TransformersPolicy(tiny.folder(), **settings)


def finish(engine: Any, requests: list[Continue]) -> list[Continued]:
    for ticket, request in enumerate(requests):
        engine.add(ticket, request)
    results: dict[int, Continued] = {}
    while len(results) < len(requests):
        results.update(engine.step())
    return [results[i] for i in range(len(requests))]


def ask(trajectory: Trajectory = ROOT, max_steps: int | None = None, seed: int = 0, **more: Any) -> Continue:
    return Continue(trajectory, max_steps, more.pop("max_tokens", None), more.pop("temperature", None), seed, **more)


def wave(count: int, max_steps: int | None = 1) -> list[Continue]:
    problems = [Problem(str(i), f"Compute ${i} + {i * 7}$.") for i in range(count)]
    return [ask(Trajectory(problem), max_steps, seed=100 + i) for i, problem in enumerate(problems)]


def grow(engine: Any) -> Trajectory:
    """A greedy solution, step by step."""
    trajectory = ROOT
    while trajectory.live:
        (result,) = finish(engine, [ask(trajectory, 1, temperature=0.0)])
        trajectory = trajectory.extend(result.steps)
    return trajectory


def test_it_writes_what_the_same_model_writes_here(log: Log) -> None:
    requests = [ask(), ask(max_steps=1, seed=3), ask(max_steps=3, temperature=0.0), *wave(6)]
    for one, other in zip(finish(policy(log), requests), finish(local(), requests), strict=True):
        assert one.steps[0] == other.steps[0]
        assert one.prompt_tokens == other.prompt_tokens
    assert finish(policy(log), wave(6)) and grow(policy(log)) == grow(local())


@pytest.mark.parametrize("top_k", [None, 20])
def test_top_k_goes_before_the_default_of_the_yaml(log: Log, top_k: int | None) -> None:
    engine = policy(log, TokenCompletions({"return_token_ids": True, "top_k": -1}), top_k=top_k)
    finish(engine, [ask(max_tokens=3), ask(max_tokens=3, temperature=0.0)])
    assert sorted(body["top_k"] for body in log.bodies) == ([-1, -1] if top_k is None else [-1, top_k])


def test_a_prefix_is_sent_token_by_token(log: Log) -> None:
    trajectory = grow(policy(log))
    (prompt, *later) = [tuple(body["prompt"]) for body in log.bodies]
    assert all(tokens == (prompt + trajectory.tokens)[: len(tokens)] for tokens in later)
    assert prompt.count(brain.tokenizer().bos_token_id) == 1


@pytest.mark.parametrize("max_steps", [1, None])
def test_the_order_in_which_answers_come_changes_nothing(log: Log, max_steps: int | None) -> None:
    alone = finish(policy(log, batch_size=1), wave(12, max_steps))
    draws = random.Random(0)
    log.delay = lambda body: draws.random() * 0.2
    assert finish(policy(log, batch_size=12), wave(12, max_steps)) == alone


def test_a_result_comes_as_soon_as_it_is_there(log: Log) -> None:
    engine = policy(log)
    first, *others = wave(4)
    log.delay = lambda body: 2.0 if body["seed"] == first.seed else 0.0
    for ticket, request in enumerate([first, *others]):
        engine.add(ticket, request)
    start, seen = time.monotonic(), set[int]()
    while len(seen) < 3:
        seen |= {ticket for ticket, _ in engine.step()}
    assert seen == {1, 2, 3} and time.monotonic() - start < 2.0
    assert [ticket for ticket, _ in engine.step()] == [0]


def test_no_more_requests_at_once_than_the_batch_size(log: Log) -> None:
    log.delay = lambda body: 0.1
    finish(policy(log, batch_size=3), wave(10))
    assert log.peak == 3


def test_every_sample_is_a_request_of_its_own_with_its_own_seed(log: Log) -> None:
    results = finish(policy(log), [ask(max_steps=1, seed=2**63 + i) for i in range(4)])
    assert len({body["seed"] for body in log.bodies}) == 4 and all(0 <= body["seed"] < 2**31 for body in log.bodies)
    assert len({result.steps for result in results}) > 1 and not any("n" in body for body in log.bodies)


def test_usage_is_the_servers(log: Log) -> None:
    (result,) = finish(policy(log), [ask(max_steps=1)])
    length = len(log.bodies[0]["prompt"])
    assert (result.prompt_tokens, result.cached_tokens) == (length, length // 16 * 16) and len(log.bodies) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429, {"error": {"message": "slow down"}}, {"Retry-After": "0.1"}),
        Fault(429, "", {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        Fault(500, "oops"),
        Fault(503, {"message": "loading the model"}),
        Fault(None),
    ],
)
def test_a_passing_failure_is_not_seen(log: Log, fault: Fault) -> None:
    expected = finish(policy(log), wave(4))
    log.faults.extend([fault] * 5)
    assert finish(policy(log), wave(4)) == expected and not log.faults


def test_a_server_that_does_not_answer_in_time_is_asked_again(log: Log) -> None:
    expected = finish(policy(log), wave(1))
    delays = iter([5.0, 5.0])
    log.delay = lambda body: next(delays, 0.0)
    assert finish(policy(log, timeout=0.3), wave(1)) == expected


def test_retry_after_is_honoured(log: Log) -> None:
    engine = policy(log)
    log.faults.append(Fault(429, "", {"Retry-After": "0.5"}))
    start = time.monotonic()
    finish(engine, wave(1))
    assert time.monotonic() - start > 0.5


def test_a_server_that_stays_away_ends_the_run(log: Log) -> None:
    engine = policy(log, retries=2)
    log.faults.extend([Fault(502, "bad gateway")] * 3)
    with pytest.raises(EngineError, match=r"gave out after 3 tries: HTTP 502: bad gateway"):
        finish(engine, [ask()])


def test_a_server_that_dies_ends_the_run(log: Log) -> None:
    with serving({}) as dead:
        engine = policy(dead, retries=2)
    with pytest.raises(EngineError, match="gave out after 3 tries"):
        finish(engine, [ask()])


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "localhost:1/v1", "http://[/v1"])
def test_a_server_that_never_was_there(url: str) -> None:
    with pytest.raises(UserError, match=rf"no server answers at {re.escape(url)} .*policy\.url") as raised:
        policy(Log(url=url))
    assert not isinstance(raised.value, EngineError)


def test_a_policy_that_is_let_go_ends_its_thread(log: Log) -> None:
    before = set(threading.enumerate())
    engine = policy(log)
    (own,) = (thread for thread in set(threading.enumerate()) - before if thread.name == "policy client")
    finish(engine, wave(2))
    log.delay = lambda body: 0.5
    engine.add(0, ask())
    engine.reset()
    del engine
    ended = time.monotonic() + 5.0
    while own.is_alive() and time.monotonic() < ended:
        gc.collect()  # the request that was given up holds the policy until its own thread has heard of it
        own.join(0.05)
    assert not own.is_alive()


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (
            Fault(401, {"error": {"message": "no key"}}),
            r"does not accept the key \(HTTP 401: no key\).*policy.api_key_env",
        ),
        (Fault(404, {"error": "no model tiny"}), r"is not there \(HTTP 404: no model tiny\).*policy.served_model"),
        (Fault(400, {"detail": "min_p?\nmore"}), r"refuses the request \(HTTP 400: min_p\?\)"),
        (Fault(200, "<html>"), "does not answer in JSON"),
        (Fault(200, {"hello": 1}), "does not answer like an OpenAI server"),
        (Fault(200, {"choices": [{"text": "hi"}]}), r"returns no token ids: choose policy/engine=server_text"),
    ],
)
def test_what_will_not_pass_is_told_in_one_line(log: Log, fault: Fault, line: str) -> None:
    engine = policy(log)
    log.faults.append(fault)
    with pytest.raises(UserError, match=line) as raised:
        finish(engine, [ask()])
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "overloaded", "type": "server_error"}},
        {"error": {"message": "slow down", "code": 429}},
        {"error": {"message": "bad gateway", "code": "502"}},
        {"error": "overloaded"},
        {"object": "error", "message": "no worker", "code": 50001},
        {"choices": [{"index": 0, "error": {"message": "provider"}, "finish_reason": "error", "text": "It"}]},
        {"choices": [{"index": 0, "finish_reason": "error", "token_ids": [5], "text": "It"}]},
    ],
)
def test_an_error_in_an_answer_of_200_is_a_server_that_is_busy(log: Log, body: Any) -> None:
    expected = finish(policy(log), wave(2))
    log.faults.extend([Fault(200, body)] * 3)
    assert finish(policy(log), wave(2)) == expected and not log.faults
    engine = policy(log, retries=1)
    log.faults.extend([Fault(200, body)] * 2)
    with pytest.raises(EngineError, match="gave out after 2 tries"):
        finish(engine, [ask()])


@pytest.mark.parametrize(
    ("code", "line"), [(401, r"does not accept the key \(HTTP 401: no\)"), (404, "is not there"), (400, "refuses")]
)
def test_an_error_in_an_answer_of_200_that_will_not_pass(log: Log, code: int, line: str) -> None:
    engine = policy(log)
    log.faults.append(Fault(200, {"error": {"message": "no", "code": code}}))
    with pytest.raises(UserError, match=line):
        finish(engine, [ask()])


def test_an_error_that_is_null_is_none() -> None:
    with serving({"/v1/completions": lambda body: {**brain.completions(body), "error": None}}) as log:
        assert finish(policy(log), wave(1))[0].steps == finish(local(), wave(1))[0].steps


def test_the_list_of_models_may_be_missing_where_the_model_is_named(log: Log) -> None:
    expected = finish(policy(log), wave(1))
    log.models_status = 404
    assert finish(policy(log, served_model="mine"), wave(1)) == expected and log.bodies[-1]["model"] == "mine"
    with pytest.raises(UserError, match=r"models is not there \(HTTP 404.*policy.served_model"):
        policy(log)
    log.models_status = 401
    with pytest.raises(UserError, match="does not accept the key"):
        policy(log, served_model="mine")


def test_a_server_of_token_ids_that_does_not_say_why_it_stopped() -> None:
    def silent(body: dict[str, Any]) -> dict[str, Any]:
        answer = brain.completions(body)
        answer["choices"][0] |= {"finish_reason": None, "stop_reason": None}
        return answer

    requests = [ask(), ask(seed=3), *wave(4), ask(max_tokens=4), *wave(4, None)]
    with serving({"/v1/completions": silent}) as log:
        assert [one.steps for one in finish(policy(log), requests)] == [one.steps for one in finish(local(), requests)]


def test_the_model_that_is_served(log: Log) -> None:
    finish(policy(log), [ask(max_steps=1)])
    assert log.bodies[-1]["model"] == "tiny"
    log.models = {"data": [{"id": "a"}, {"id": "b"}]}
    with pytest.raises(UserError, match=r"serves a, b: choose with policy.served_model"):
        policy(log)
    finish(policy(log, served_model="b"), [ask(max_steps=1)])
    assert log.bodies[-1]["model"] == "b"


def test_the_key_is_sent(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "secret")
    policy(log)
    policy(log, api_key_env="MY_KEY")
    assert log.keys == [None, "Bearer secret"]
    monkeypatch.delenv("MY_KEY")
    with pytest.raises(UserError, match="MY_KEY"):
        policy(log, api_key_env="MY_KEY")


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 512 tokens. However, your prompt contains 600 input tokens",
        "the request exceeds the available context size, try increasing it",
    ],
)
def test_a_context_that_is_full_ends_one_candidate(log: Log, message: str) -> None:
    engine = policy(log)
    expected = finish(engine, wave(3))
    log.faults.append(Fault(400, {"error": {"message": message}}))
    cut, *others = finish(policy(log, batch_size=1), wave(3))
    assert [(step.tokens, step.stop) for step in cut.steps] == [((), Stop.LENGTH)]
    assert others == expected[1:]


def test_the_servers_context_is_kept_to(log: Log) -> None:
    prompt = len(local()._prompt(tiny.PROBLEM))
    log.models = {"data": [{"id": "tiny", "max_model_len": prompt + 5}]}
    (result,) = finish(policy(log, end_at_box=False), [ask(seed=3)])
    assert log.bodies[0]["max_tokens"] == 5 and sum(len(step.tokens) for step in result.steps) <= 5
    assert result.steps[-1].stop in (Stop.LENGTH, Stop.END)


def test_a_budget_is_told_from_a_limit(log: Log) -> None:
    requests = [ask(max_tokens=4, capped=True), ask(max_tokens=4), ask()]
    for one, other in zip(finish(policy(log), requests), finish(local(), requests), strict=True):
        assert [step.stop for step in one.steps] == [step.stop for step in other.steps]
        assert len(one.steps[0].tokens) <= 60


def test_what_is_left_of_an_earlier_run_is_forgotten(log: Log) -> None:
    engine = policy(log)
    log.delay = lambda body: 0.3
    for ticket, request in enumerate(wave(4)):
        engine.add(ticket, request)
    engine.reset()
    (result,) = finish(engine, [ask()])
    assert result == finish(policy(log), [ask()])[0]


def words(body: dict[str, Any]) -> Any:
    """A /completions that writes TEXT on from the prompt's end, and gives text."""
    written = brain.tokenizer().decode(body["prompt"], skip_special_tokens=True).partition("assistant\n\n")[2]
    parts, finish = brain.pieces(TEXT.removeprefix(written), body["max_tokens"])
    if not body.get("stream"):
        return {"choices": [{"text": "".join(parts), "finish_reason": finish}], "usage": {"prompt_tokens": 7}}
    events = [{"choices": [{"text": part, "finish_reason": None}]} for part in parts]
    return [*events, {"choices": [{"text": "", "finish_reason": finish}]}]


def chat(body: dict[str, Any]) -> Any:
    """A /chat/completions that trims the message it continues, as templates do."""
    *_, last = body["messages"]
    written = last["content"].strip() if last["role"] == "assistant" else ""
    text = TEXT.replace("\n\n\n", "\n\n") if written else TEXT
    parts, finish = brain.pieces(text.removeprefix(written), body["max_tokens"])
    if not body.get("stream"):
        return {"choices": [{"message": {"content": "".join(parts)}, "finish_reason": finish}]}
    events = [{"choices": [{"delta": {"content": part}, "finish_reason": None}]} for part in parts]
    return [
        {"choices": [{"delta": {"role": "assistant"}}]},
        *events,
        {"choices": [{"delta": {}, "finish_reason": finish}]},
    ]


@pytest.fixture
def wordy() -> Iterator[Log]:
    with serving({"/v1/completions": words, "/v1/chat/completions": chat}) as log:
        yield log


RESUMING = Chat({}, resume_message={"prefix": True})


@pytest.mark.parametrize("api", [TextCompletions({}), RESUMING])
@pytest.mark.parametrize("max_steps", [1, 3])
def test_a_step_that_is_too_long_ends_there(wordy: Log, api: Api, max_steps: int) -> None:
    engine = policy(wordy, api, end_at_box=False, max_tokens=200, step_tokens=5)
    step, whole = finish(engine, [ask(max_steps=max_steps), ask()])
    assert [one.stop for one in step.steps] == [Stop.STEP_LENGTH]
    assert 1 <= len(step.steps[0].tokens) <= 5 and TEXT.startswith(step.steps[0].text)
    assert whole.steps[-1].stop is Stop.END and "".join(one.text for one in whole.steps) == TEXT
    assert sorted({body["max_tokens"] for body in wordy.bodies}) == [5, 200]


def test_a_step_of_tokens_that_is_too_long_ends_there_as_it_does_here(log: Log) -> None:
    here, there = (
        finish(made(end_at_box=False, step_tokens=3), [ask(max_steps=1, seed=9)])[0]
        for made in (local, partial(policy, log))
    )
    assert [step.stop for step in here.steps] == [Stop.STEP_LENGTH]
    assert here.steps == there.steps and len(here.steps[0].tokens) == 3
    assert log.bodies[-1]["max_tokens"] == 3


@pytest.mark.parametrize("api", [TextCompletions({}), RESUMING])
def test_steps_of_a_server_that_gives_text(wordy: Log, api: Api) -> None:
    trajectory = grow(policy(wordy, api, end_at_box=False, max_tokens=200))
    assert [step.text.strip() for step in trajectory.steps] == [part.strip() for part in TEXT.split("\n\n")]
    assert [step.stop for step in trajectory.steps] == [Stop.STEP, Stop.STEP, Stop.END]
    assert brain.tokenizer().decode(trajectory.tokens, skip_special_tokens=True) == trajectory.text
    assert trajectory.tokens[-1] == brain.tokenizer().eos_token_id
    assert wordy.hung_up or len(TEXT) < 200  # the server was told to stop


@pytest.mark.parametrize("api", [TextCompletions({}), Chat({}), RESUMING])
def test_whole_solutions_of_a_server_that_gives_text(wordy: Log, api: Api) -> None:
    whole, boxed, cut, capped = (
        finish(policy(wordy, api, max_tokens=200, end_at_box=box), [request])[0]
        for box, request in [
            (False, ask()),
            (True, ask()),
            (True, ask(max_tokens=8)),
            (True, ask(max_tokens=8, capped=True)),
        ]
    )
    assert "".join(step.text for step in whole.steps) == TEXT and whole.steps[-1].stop is Stop.END
    assert (
        "".join(step.text for step in boxed.steps) == TEXT.partition("I hope")[0] and boxed.steps[-1].stop is Stop.END
    )
    assert cut.steps[-1].stop is Stop.LENGTH and capped.steps[-1].stop is Stop.BUDGET
    assert not any(body.get("stream") for body in wordy.bodies)


@pytest.mark.parametrize("api", [TextCompletions({}), Chat({})])
def test_tokens_made_here_have_no_logprobs(wordy: Log, api: Api) -> None:
    with pytest.raises(UserError, match="does not give the log-probabilities"):
        finish(policy(wordy, api), [ask(logprobs=True)])


def test_a_plain_chat_writes_whole_solutions_only(wordy: Log) -> None:
    with pytest.raises(UserError, match="continues partial ones: choose policy/engine=server"):
        policy(wordy, Chat({})).add(0, ask(max_steps=1))


def test_a_stream_that_breaks_off_is_asked_for_again(wordy: Log) -> None:
    expected = finish(policy(wordy, TextCompletions({})), [ask(max_steps=1)])
    wordy.faults.extend([Fault(500, "oops"), Fault(None), Fault(200, 'data: {"choices": [{"text": "## "}]}\n\n')])
    assert finish(policy(wordy, TextCompletions({})), [ask(max_steps=1)]) == expected and not wordy.faults


BOX = "It is $\\boxed{31}$."
CHUNKS = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": BOX[:5]},
          {"type": "text", "text": BOX[5:]}]  # fmt: skip


def said(content: Any, finish: str | None = "stop", **more: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": content}, "finish_reason": finish}], **more}


def written(answer: dict[str, Any] | list[Any], api: Api | None = None, **changes: Any) -> tuple[Continued, Log]:
    """What is made of one answer of a server that gives text."""
    route = lambda body: answer if isinstance(answer, list) else dict(answer)  # noqa: E731
    with serving({"/v1/chat/completions": route, "/v1/completions": route}) as log:
        (result,) = finish(policy(log, api or Chat({}), end_at_box=False, retries=1), [ask(**changes)])
    return result, log


@pytest.mark.parametrize("content", [CHUNKS, [BOX[:5], BOX[5:]], BOX])
def test_content_may_be_a_list_of_chunks(content: Any) -> None:
    result, _ = written(said(content))
    assert ("".join(step.text for step in result.steps), result.steps[-1].stop) == (BOX, Stop.END)
    halves = [content] if isinstance(content, str) else [[chunk] for chunk in content]
    events = [{"choices": [{"delta": {"content": half}, "finish_reason": None}]} for half in halves]
    result, _ = written([*events, {"choices": [{"delta": {}, "finish_reason": "stop"}]}], RESUMING, max_steps=1)
    assert ("".join(step.text for step in result.steps), result.steps[-1].stop) == (BOX, Stop.END)


def test_a_server_of_text_that_does_not_say_why_it_stopped_has_ended() -> None:
    for answer in (said(BOX, None), said(BOX, None, usage={"completion_tokens": 7, "prompt_tokens": 5})):
        result, log = written(answer)
        assert (len(log.bodies), result.steps[-1].stop) == (1, Stop.END)
    result, log = written(said(BOX, None, usage={"completion_tokens": 60}))
    assert (len(log.bodies), result.steps[-1].stop) == (1, Stop.LENGTH)
    events = [{"choices": [{"delta": {"content": BOX}, "finish_reason": None}]}]
    result, log = written(events, RESUMING, max_steps=1)
    assert (len(log.bodies), result.steps[-1].stop) == (1, Stop.END)


@pytest.mark.parametrize("api", [Chat({}), TextCompletions({})])
@pytest.mark.parametrize("finish_reason", ["stop", "length", None])
def test_what_is_not_shown_is_paid_for(api: Api, finish_reason: str | None) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 60}
    result, log = written(said(None, finish_reason, usage=usage), api)
    assert (len(log.bodies), sum(len(step.tokens) for step in result.steps) <= 1) == (1, True)
    assert result.prompt_tokens == 9 and result.unseen in (59, 60)
    ledger = Ledger()
    ledger.charge_policy(ModelSize("m", 10, 1, 1), ask(), result, lookahead=False)
    assert ledger.decoded_tokens == 60


@pytest.mark.parametrize("api", [Chat({}), TextCompletions({})])
def test_half_a_character_in_a_reply(api: Api) -> None:
    reply = {"choices": [{"message": {"content": f"{BOX} \ud83d"}, "text": f"{BOX} \ud83d", "finish_reason": "stop"}]}
    result, _ = written(reply, api)
    assert "".join(step.text for step in result.steps).startswith(BOX)
    json.dumps([step.text for step in result.steps], ensure_ascii=False).encode()


def test_a_character_in_two_events_is_one() -> None:
    parts = ["\ud83d", "\ude00 ok"]
    events = [{"choices": [{"text": part, "finish_reason": None}]} for part in parts]
    with serving(
        {"/v1/completions": lambda body: [*events, {"choices": [{"text": "", "finish_reason": "stop"}]}]}
    ) as log:
        (result,) = finish(policy(log, TextCompletions({})), [ask(max_steps=1)])
    assert result.steps == finish_text("\U0001f600 ok")


def finish_text(text: str) -> Any:
    result, _ = written({"choices": [{"text": text, "finish_reason": "stop"}]}, TextCompletions({}))
    return result.steps


@pytest.mark.parametrize(
    "body",
    [
        'data: {"error": {"message": "overloaded"}}\n\n',
        'data: {"choi\n\n',
        'data: {"choices": [{"text": "\\ud83d", "finish_reason": null}]}\n\n',
        {"error": {"message": "overloaded"}},
    ],
)
def test_a_stream_that_is_an_error_is_asked_for_again(wordy: Log, body: Any) -> None:
    expected = finish(policy(wordy, TextCompletions({})), [ask(max_steps=1)])
    wordy.faults.append(Fault(200, body))
    assert finish(policy(wordy, TextCompletions({})), [ask(max_steps=1)]) == expected and not wordy.faults


def test_a_server_that_does_not_stream_is_understood() -> None:
    answer = {"choices": [{"text": "So.\n\nNo.", "finish_reason": "stop"}], "status": 200}
    with serving({"/v1/completions": lambda body: dict(answer)}) as log:
        (result,) = finish(policy(log, TextCompletions({})), [ask(max_steps=1)])
    assert [(step.text, step.stop) for step in result.steps] == [("So.\n\n", Stop.STEP)]


def test_a_server_that_keeps_its_logprobs_is_told_of(log: Log) -> None:
    with pytest.raises(UserError, match=r"gave 0 log-probabilities of \d+ tokens"):
        finish(policy(log), [ask(max_steps=1, logprobs=True)])


THINKS = ReasoningFormat(
    "<|start_header_id|>think<|end_header_id|>\n\n", "<|start_header_id|>answer<|end_header_id|>\n\n"
)


def test_thinking_is_steered_behind_a_server_as_it_is_here(log: Log) -> None:
    settings: dict[str, Any] = {"reasoning": THINKS, "max_tokens": 120, "end_at_box": False, "temperature": 0.0}
    strategy = BudgetForcing(2, 40, 20, waits=1)
    outcomes = [
        simulation.one(strategy, policy=engine, selection=Majority())
        for engine in (policy(log, **settings), local(**settings))
    ]
    there, here = ([candidate.steps for candidate in outcome.candidates] for outcome in outcomes)
    assert there == here
    thinking = [body for body in log.bodies if THINKS.end.strip() in body["stop"]]
    assert thinking and all(body["skip_special_tokens"] is False for body in thinking)


@pytest.mark.parametrize("api", [TOKENS, TextCompletions({})], ids=["tokens", "text"])
def test_the_end_is_suppressed_behind_a_server_as_it_is_here(api: Api) -> None:
    settings: dict[str, Any] = {"reasoning": THINKS, "max_tokens": 120, "end_at_box": False, "temperature": 0.0}
    with serving({"/v1/completions": brain.completions}) as log:
        here, there = local(**settings), policy(log, api, **settings)
        first = finish(here, [ask()])[0].steps[0].tokens[0]
        for engine in (here, there):
            engine.rules = replace(engine.rules, ends=engine.rules.ends | {first})
        requests = [ask(thinking=9, answer=5, suppress=suppress) for suppress in (True, False)]
        expected, written = finish(here, requests), finish(there, requests)
    for result, same in zip(written, expected, strict=True):
        told, text = ("".join(step.text for step in one.steps) for one in (result, same))
        assert told == text if api is TOKENS else told and text.startswith(told)  # one counts tokens of its own
    banned = [body for body in log.bodies if body.get("logit_bias")]
    assert [body["max_tokens"] for body in banned] == [1]  # the bias is no longer sent once a token is there
    assert str(first) in banned[0]["logit_bias"]


def test_a_server_that_says_nothing_where_the_end_is_suppressed_is_not_asked_for_ever() -> None:
    def answer(body: dict[str, Any]) -> dict[str, Any]:
        return {"choices": [{"index": 0, "text": "", "finish_reason": "length"}]}

    with serving({"/v1/completions": answer}) as log:
        engine = policy(log, TextCompletions({}), reasoning=THINKS, max_tokens=120)
        (result,) = finish(engine, [ask(thinking=9, answer=5, suppress=True)])
    assert len(log.bodies) == 1 and not any(step.tokens for step in result.steps)


def test_a_server_that_only_continues_text_is_stopped_where_the_thinking_ends() -> None:
    """Text alone tells no mark from the end of a turn: both end the thinking, and the strategy puts its own mark."""
    said = iter(["So it is $1$.", ", no: $2$.", " $\\boxed{2}$"])

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        return {"choices": [{"index": 0, "text": next(said), "finish_reason": "stop"}]}

    with serving({"/v1/completions": answer}) as log:
        engine = policy(log, TextCompletions({}), reasoning=THINKS, max_tokens=120, end_at_box=False)
        outcome = simulation.one(BudgetForcing(1, 60, 40, waits=1), policy=engine, selection=Majority())
    (run,) = outcome.candidates
    assert run.finished and run.solution == " $\\boxed{2}$"
    assert "".join(step.text for step in run.steps if step.thinking) == "So it is $1$.Wait, no: $2$." + THINKS.end
    assert [body.get("stop") for body in log.bodies] == [[THINKS.end.strip()]] * 2 + [None]
    prompts = [brain.tokenizer().decode(body["prompt"]) for body in log.bodies]
    assert prompts[1].endswith(THINKS.begin + "So it is $1$.Wait")
    assert prompts[2].endswith(THINKS.end)


@pytest.mark.parametrize("cut", ["thinking", "answer"])
def test_a_server_that_counts_other_tokens_than_we_do_stops_at_the_same_limits(cut: str) -> None:
    thought = {"text": "So it is $1$.", "finish_reason": "length" if cut == "thinking" else "stop"}
    answered = {"text": " $\\boxed{2}$ and", "finish_reason": "length" if cut == "answer" else "stop"}
    said = iter([thought, answered])

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        return {"choices": [{"index": 0, **next(said)}]}

    with serving({"/v1/completions": answer}) as log:
        engine = policy(log, TextCompletions({}), reasoning=THINKS, max_tokens=150, end_at_box=False)
        (run,) = simulation.one(BudgetForcing(1, 60, 40), policy=engine, selection=Majority()).candidates
    assert run.finished and "boxed{2}" in run.solution
    assert (Stop.CUT in [step.stop for step in run.steps if step.thinking]) == (cut == "thinking")
    assert (run.steps[-1].stop is Stop.CUT) == (cut == "answer")


def test_a_request_that_is_given_up_hangs_up_and_the_others_come(log: Log) -> None:
    expected = finish(policy(log), wave(3))
    engine = policy(log, batch_size=2)
    slow = wave(1)[0].seed
    log.delay = lambda body: 1.0 if body["seed"] == slow else 0.0
    start = time.monotonic()
    for ticket, request in enumerate(wave(3)):
        engine.add(ticket, request)
    while not log.busy:
        time.sleep(0.01)
    assert engine.cancel(0) is None
    found: dict[int, Continued] = {}
    while len(found) < 2:
        found |= dict(engine.step())
    assert found == {1: expected[1], 2: expected[2]} and time.monotonic() - start < 1.0


def test_one_that_waits_for_its_turn_is_never_sent(log: Log) -> None:
    engine = policy(log, batch_size=1)
    log.delay = lambda body: 0.2
    for ticket, request in enumerate(wave(3)):
        engine.add(ticket, request)
    assert engine.cancel(1) is None
    found: dict[int, Continued] = {}
    while len(found) < 2:
        found |= dict(engine.step())
    assert found.keys() == {0, 2} and len(log.bodies) == 2


def test_what_was_done_when_it_was_given_up_is_told_once(log: Log) -> None:
    engine = policy(log)
    (expected,) = finish(policy(log), wave(1))
    for ticket, request in enumerate(wave(2)):
        engine.add(ticket, request)
    ended = time.monotonic() + 10
    while engine._client._done.qsize() < 2 and time.monotonic() < ended:
        time.sleep(0.01)
    assert engine.cancel(0) == expected
    assert [ticket for ticket, _ in engine.step()] == [1]
