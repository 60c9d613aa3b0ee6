"""The zoo's policy and PRM behind vLLM's real server, on loopback. Each is started once, which takes minutes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from ttcs.config.components import build, share
from ttcs.config.identity import register_resolvers
from ttcs.config.options import CONF
from ttcs.core import Continue, Continued, Judge, Judged, Problem, Stop, Trajectory, Turn
from ttcs.errors import EngineError, UserError
from ttcs.models.load import load_tokenizer
from ttcs.prms.rlhflow import RLHFlow
from ttcs.running.session import session

STARTING, STOPPING = 1200, 120  # seconds; a busy machine takes its time
COMMAND = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--host", "127.0.0.1", "--dtype", "float32"]
COMMON = ["--enforce-eager", "--block-size", "32", "--distributed-executor-backend", "uni"]
ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
}


register_resolvers()


def configured(*overrides: str) -> DictConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", list(overrides))


@contextmanager
def process(arguments: Sequence[str], log: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A server and its url; what it prints goes to `log`. It has ended when this does, and all that it started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    with log.open("wb") as file:
        started = subprocess.Popen(
            [*COMMAND, *COMMON, *arguments, "--port", port],
            stdout=file,
            stderr=subprocess.STDOUT,
            env=os.environ | ENVIRONMENT,
            start_new_session=True,
        )
    try:
        yield started, f"http://127.0.0.1:{port}/v1"
    finally:
        stop(started)


def stop(started: subprocess.Popen[bytes]) -> None:
    started.terminate()
    try:
        started.wait(STOPPING)
    finally:
        try:
            os.killpg(started.pid, signal.SIGKILL)  # of the session that it leads, whatever is left
        except ProcessLookupError:
            return


def wait_until_up(started: subprocess.Popen[bytes], url: str, log: Path) -> str:
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline and started.poll() is None:
        try:
            if httpx2.get(f"{url}/models", timeout=60).status_code == 200:
                return url
        except httpx2.TransportError:
            time.sleep(2)
    raise AssertionError(f"the server did not start:\n{tail(log)}")


def tail(log: Path) -> str:
    return log.read_text(errors="replace")[-3000:]


def flags(arguments: Mapping[str, Any]) -> list[str]:
    """Arguments of vLLM's as they are written on its command line."""
    return [
        part
        for name, value in arguments.items()
        for part in (f"--{name.replace('_', '-')}", json.dumps(value) if isinstance(value, dict) else str(value))
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(autouse=True)
def logs(folder: Path) -> Iterator[None]:
    """What the servers said last, beside a test that failed."""
    yield
    for log in sorted(folder.glob("*.log")):
        print(log.name, tail(log), sep="\n")


@contextmanager
def server(arguments: Sequence[str], log: Path, path: str, body: Mapping[str, Any]) -> Iterator[str]:
    """The url of a server that has answered a first request, `body` at `path`.

    One that ends before that is started once more: what is tested here is not whether vLLM starts.
    """
    for attempt in (1, 2):
        with process(arguments, log) as (started, url):
            try:
                wait_until_up(started, url, log)
                assert httpx2.post(url.removesuffix("/v1") + path, json=body, timeout=300).status_code == 200, tail(log)
            except (AssertionError, httpx2.TransportError):
                if attempt == 2:
                    raise
                continue
            yield url
            assert started.poll() is None, f"the server ended by itself:\n{tail(log)}"
            stop(started)
            assert started.returncode in (0, -signal.SIGTERM, 128 + signal.SIGTERM)
            return


@pytest.fixture(scope="module")
def urls(folder: Path) -> Iterator[list[str]]:
    """Of the policy and of the PRM."""
    pytest.importorskip("vllm", reason="vLLM is not installed: .ci/vllm makes an environment that has it")
    policy, prm = (configured()[part].model for part in ("policy", "prm"))
    pooling = flags(RLHFlow().head.pooling(prm, load_tokenizer(prm)))
    first = {"model": policy, "prompt": [0], "max_tokens": 2}
    writing = server(
        ["--model", policy, "--enable-prompt-tokens-details"], folder / "policy.log", "/v1/completions", first
    )
    judged = {"model": prm, "task": "classify", "input": [[0, 1]], "use_activation": False}
    reading = server(["--model", prm, *pooling], folder / "prm.log", "/pooling", judged)
    with writing as one, reading as other:
        yield [one, other]


@pytest.fixture(scope="module")
def remote(urls: list[str]) -> list[str]:
    """What to add to a command."""
    return ["policy/engine=server", f"policy.url={urls[0]}", "prm/engine=server", f"prm.url={urls[1]}"]


@pytest.fixture(scope="module")
def problems() -> tuple[Problem, ...]:
    return share(configured("dataset.limit=6"), "dataset")


def finish(engine: Any, requests: Sequence[Any]) -> list[Any]:
    for ticket, request in enumerate(requests):
        engine.add(ticket, request)
    results: dict[int, Any] = {}
    while len(results) < len(requests):
        results |= dict(engine.step())
    return [results[i] for i in range(len(requests))]


def test_greedy_solutions_are_those_of_transformers(remote: list[str], problems: tuple[Problem, ...]) -> None:
    for box in ("false", "true"):
        served, local = (build(configured(*engine, f"policy.end_at_box={box}"), "policy") for engine in (remote, []))
        for steps in (None, 1, 3):
            requests = [Continue(Trajectory(problem), steps, None, 0.0, 0) for problem in problems]
            one: list[Continued] = finish(served, requests)
            other: list[Continued] = finish(local, requests)
            assert [result.steps for result in one] == [result.steps for result in other]
            assert [result.prompt_tokens for result in one] == [result.prompt_tokens for result in other]


def test_a_solution_grown_step_by_step_is_the_whole_one(remote: list[str], problems: tuple[Problem, ...]) -> None:
    policy = build(configured(*remote), "policy")
    (whole,) = finish(policy, [Continue(Trajectory(problems[0]), None, None, 0.0, 0)])
    trajectory, cached = Trajectory(problems[0]), []
    while trajectory.live:
        (result,) = finish(policy, [Continue(trajectory, 1, None, 0.0, 0)])
        trajectory = trajectory.extend(result.steps)
        cached.append(result.cached_tokens)
    assert trajectory.tokens == tuple(token for step in whole.steps for token in step.tokens)
    assert cached[-1] >= 32 and all(tokens % 32 == 0 for tokens in cached)


def test_earlier_attempts_reach_the_server(remote: list[str], problems: tuple[Problem, ...]) -> None:
    served, local = build(configured(*remote), "policy"), build(configured(), "policy")
    first = finish(local, [Continue(Trajectory(problems[0]), None, None, 0.0, 0)])[0]
    turn = Turn(Trajectory(problems[0]).extend(first.steps), "Try again.")
    asked = [Continue(Trajectory(problems[0], history=(turn,)), None, None, 0.0, 0)]
    one, other = (finish(policy, asked)[0] for policy in (served, local))
    assert (one.steps, one.prompt_tokens) == (other.steps, other.prompt_tokens)


def test_a_sample_is_its_seeds(remote: list[str], problems: tuple[Problem, ...]) -> None:
    requests = [Continue(Trajectory(problem), 1, None, None, 2**63 + i) for problem in problems for i in range(4)]
    one = finish(build(configured(*remote, "policy.batch_size=24"), "policy"), requests)
    other = finish(build(configured(*remote, "policy.batch_size=3"), "policy"), requests[::-1])[::-1]
    assert [result.steps for result in one] == [result.steps for result in other]
    assert len({result.steps for result in one}) > len(problems)


def test_logprobs_are_those_of_transformers(remote: list[str], problems: tuple[Problem, ...]) -> None:
    requests = [Continue(Trajectory(problem), None, None, 0.0, 0, logprobs=True) for problem in problems]
    served, local = (finish(build(configured(*engine), "policy"), requests) for engine in (remote, []))
    for one, other in zip(served, local, strict=True):
        for step, same in zip(one.steps, other.steps, strict=True):
            assert step.logprobs == pytest.approx(same.logprobs, abs=1e-3)


def test_a_suppressed_end_is_that_of_transformers(remote: list[str], problems: tuple[Problem, ...]) -> None:
    served, local = (build(configured(*engine), "policy") for engine in (remote, []))
    usual = finish(local, [Continue(Trajectory(problem), None, None, 0.0, 0) for problem in problems])
    first = {result.steps[0].tokens[0] for result in usual}
    for policy in (served, local):
        policy.rules = replace(policy.rules, ends=policy.rules.ends | first)
    requests = [Continue(Trajectory(problem), None, 9, 0.0, 0, suppress=True) for problem in problems]
    one, other = (finish(policy, requests) for policy in (served, local))
    assert [result.steps for result in one] == [result.steps for result in other]
    assert not first & {result.steps[0].tokens[0] for result in one}


def test_limits_are_told_apart(remote: list[str], problems: tuple[Problem, ...]) -> None:
    policy = build(configured(*remote), "policy")
    ask = Continue(Trajectory(problems[0]), None, 5, 0.0, 0)
    cut, capped = finish(policy, [ask, replace(ask, capped=True)])
    assert [len(result.steps[0].tokens) for result in (cut, capped)] == [5, 5]
    assert [result.steps[0].stop for result in (cut, capped)] == [Stop.LENGTH, Stop.BUDGET]


def test_scores_are_those_of_transformers(remote: list[str], problems: tuple[Problem, ...]) -> None:
    requests = [Continue(Trajectory(problem), None, None, None, i) for i, problem in enumerate(problems)]
    solved = finish(build(configured(), "policy"), requests)
    grown = [Trajectory(problem).extend(result.steps) for problem, result in zip(problems, solved, strict=True)]
    judges = [Judge(trajectory) for trajectory in grown]
    one: list[Judged] = finish(build(configured(*remote), "prm"), judges)
    other: list[Judged] = finish(build(configured(), "prm"), judges)
    for served, local in zip(one, other, strict=True):
        assert served.scores == pytest.approx(local.scores, abs=1e-4)
        assert served.tokens == local.tokens


def test_a_search_over_servers_is_the_search_here(remote: list[str], problems: tuple[Problem, ...]) -> None:
    overrides = ["strategy=dvts", "n=4", "strategy.width=2", "policy.temperature=0"]
    one, other = (
        {record.problem_id: record for record in session(configured(*engine, *overrides), problems[:3], 0.0)}
        for engine in (remote, [])
    )
    for name, record in one.items():
        here = other[name]
        assert [step.text for step in record.tree] == [step.text for step in here.tree]
        assert [step.score for step in record.tree] == pytest.approx([step.score for step in here.tree], abs=1e-4)
        assert record.ledger.decoded_tokens == here.ledger.decoded_tokens


def test_what_a_server_does_not_know_is_told(remote: list[str]) -> None:
    ask = Continue(Trajectory(Problem("p", "What is $1 + 1$?")), 1, None, None, 0)
    with pytest.raises(UserError, match="The model `nobody` does not exist"):
        finish(build(configured(*remote, "policy.served_model=nobody"), "policy"), [ask])
    body = "policy.api.body={return_token_ids: true, top_k: -7}"
    with pytest.raises(UserError, match=r"HTTP 400: top_k must be"):
        finish(build(configured(*remote, body), "policy"), [ask])
    judge = Judge(Trajectory(ask.trajectory.problem).extend(finish(build(configured(), "policy"), [ask])[0].steps))
    with pytest.raises(UserError, match=r"pooler-config\.task classify|pooler-config\.task token_classify") as raised:
        pooling = "prm.pooling._target_=ttcs.prms.pooling.EveryToken"
        finish(build(configured(*remote, pooling), "prm"), [judge])
    assert not isinstance(raised.value, EngineError)
