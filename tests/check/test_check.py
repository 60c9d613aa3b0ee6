"""`python -m ttcs.check` on the zoo, with transformers; with vLLM: tests/vllm/test_check.py."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests import tiny
from ttcs.check import memory, probes, reference
from ttcs.check.__main__ import main
from ttcs.config.components import forget
from ttcs.core import Continue, Continued, Judge, Judged, Step, Stop
from ttcs.errors import UserError
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.prms.rlhflow import RLHFlow
from ttcs.prms.scripted import ScriptedPRM
from ttcs.prms.transformers import TransformersPRM


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    yield
    forget()


@pytest.mark.slow
def test_all_is_well_with_the_zoo(capsys: pytest.CaptureFixture[str]) -> None:
    main(["policy.batch_size=64", "policy.max_tokens=100"])
    said = capsys.readouterr().out
    for name in ("scores", "seeds", "continuation", "long prompt", "speed"):
        assert f"ok  {name}" in said
    assert said.endswith("all is well\n") and "policy: caches " in said


def test_what_has_no_model_can_be_asked_too(capsys: pytest.CaptureFixture[str]) -> None:
    main(["policy=scripted", "prm=scripted"])
    assert "NO" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["policy=scripted", "prm=scripted", "policy.capacity=0"], "policy.capacity=0 is not a whole number"),
        (["policy=custom"], "policy.model has no default"),
        (["policy=nosuch"], "nosuch"),
        (["--cfg"], "unrecognized arguments: --cfg"),
    ],
)
def test_bad_input(arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2 and line in capsys.readouterr().err


def test_what_fails_is_named_and_ends_with_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScriptedPRM, "step", constant)
    with pytest.raises(SystemExit) as end:
        main(["policy=scripted", "prm=scripted"])
    said = capsys.readouterr()
    assert end.value.code == 2 and "NO  scores" in said.out
    assert "not as it should be: scores;" in said.err


STEP = ScriptedPRM.step


def constant(prm: ScriptedPRM) -> list[tuple[int, Judged]]:
    return [(ticket, Judged((0.5,) * len(judged.scores), 1, 0)) for ticket, judged in STEP(prm)]


class Wandering(ScriptedPolicy):
    """Draws something else each time, and goes on elsewhere than it was left."""

    def step(self) -> list[tuple[int, Continued]]:
        global DRAWN
        DRAWN += 1
        return [
            (ticket, Continued((Step(-1, (DRAWN, ticket), "x\n\n", Stop.STEP),), 5, 0)) for ticket, _ in super().step()
        ]


DRAWN = 0


def test_seeds_and_continuations_that_do_not_hold() -> None:
    policy = Wandering(3, 6)
    assert not probes.repeated(policy).good and not probes.continued(policy, exact=False).good
    plain = ScriptedPolicy(3, 6)
    assert probes.repeated(plain).good and probes.continued(plain, exact=True).good


class Turning(ScriptedPolicy):
    """Goes on from where it was left as it would have, but for the last token."""

    def step(self) -> list[tuple[int, Continued]]:
        return [
            (ticket, turned(result) if result.prompt_tokens > ROOT else result) for ticket, result in super().step()
        ]


ROOT = len(probes.samples.problems()[0].question.split())


def turned(result: Continued) -> Continued:
    *steps, last = result.steps
    return replace(result, steps=(*steps, replace(last, tokens=(*last.tokens[:-1], -5))))


def test_the_last_digits_may_turn_a_token_but_not_in_float32() -> None:
    found = [probes.continued(Turning(3, 6), exact) for exact in (True, False)]
    assert [finding.good for finding in found] == [False, True]
    assert found[0].said == found[1].said


class Reader:
    """Reads a prompt, of so many tokens a word, and writes three tokens; from its cache it may write others."""

    max_tokens = 100

    def __init__(self, batched: int | None, context: int, cached: tuple[int, ...] = (1, 2, 3), exact: bool = True):
        self.batched_tokens, self.exact, self.rules = batched, exact, SimpleNamespace(context=context)
        self.fresh, self.cached = (1, 2, 3), cached
        self.read: set[str] = set()
        self.lengths: list[int] = []
        self.asked: list[tuple[int, Continue]] = []

    def add(self, ticket: int, request: Continue) -> None:
        self.asked.append((ticket, request))

    def step(self) -> list[tuple[int, Continued]]:
        done, self.asked = [(ticket, self._written(request)) for ticket, request in self.asked], []
        return done

    def _written(self, request: Continue) -> Continued:
        question = request.trajectory.problem.question
        tokens = 7 + 3 * question.count("+")
        self.lengths.append(tokens)
        seen, _ = question in self.read, self.read.add(question)
        written = self.cached if seen else self.fresh
        assert tokens < self.rules.context and request.temperature in (0.0, None)
        return Continued((Step(-1, written, "", Stop.LENGTH),), tokens, tokens - 1 if seen else 0)

    def reset(self) -> None:
        self.read.clear()


@pytest.mark.parametrize(
    ("batched", "context", "tokens", "how"),
    [
        (8192, 131_072, 12_288, "in 2 pieces"),
        (8192, 9_000, 8_968, "in 2 pieces"),
        (8192, 4_096, 4_064, "not in pieces here"),
        (None, 4_096, probes.LONG, "not in pieces here"),
    ],
)
def test_a_long_prompt_is_longer_than_what_is_computed_at_once(
    batched: int | None, context: int, tokens: int, how: str
) -> None:
    policy = Reader(batched, context)
    found = probes.long_prompt(policy)
    assert tokens - 3 < policy.lengths[-1] <= tokens
    last = policy.lengths[-1]
    assert found.good and found.said == (
        f"{last} tokens read, {how}; with {last - 1} of them from the cache 3 of 3 that follow are the same"
    )


@pytest.mark.parametrize(
    ("cached", "exact", "good"),
    [((1, 2, 4), True, False), ((1, 2, 4), False, True), ((2, 2, 3), False, False), ((), False, False)],
)
def test_what_follows_a_prompt_from_the_cache(cached: tuple[int, ...], exact: bool, good: bool) -> None:
    assert probes.long_prompt(Reader(512, 4096, cached, exact)).good is good


VLLM = {
    "_target_": "ttcs.prms.vllm.VLLMPRM",
    "model": "somewhere/prm",
    "model_revision": None,
    "format": {"_target_": "ttcs.prms.rlhflow.RLHFlow"},
    "device": "auto",
    "tensor_parallel_size": 1,
    "trust_remote_code": False,
    "extra": {},
}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"device": "cpu"}, None),
        ({"tensor_parallel_size": 4}, "compared with nothing, as the reference takes one GPU and not 4"),
        ({"extra": {"pipeline_parallel_size": 2}}, "compared with nothing, as the reference takes one GPU and not 2"),
        ({"_target_": "ttcs.prms.server.ServerPRM"}, "compared with nothing, as its model is a server's"),
        ({"_target_": "ttcs.prms.transformers.TransformersPRM"}, ""),
    ],
)
def test_where_there_is_a_reference(changes: dict[str, Any], said: str | None) -> None:
    assert reference.missing(VLLM | changes) == said
    assert reference.missing({"_target_": "ttcs.prms.scripted.ScriptedPRM"}) == ""


def test_scores_that_are_compared_with_nothing_say_so() -> None:
    found = probes.scores(ScriptedPRM(0.7), None, "compared with nothing, as it is so")
    assert found.good and found.said.endswith("; compared with nothing, as it is so")


@pytest.mark.slow
def test_the_reference_is_read_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    node = VLLM | {"model": tiny.generative()}
    expected = probes.answers(
        TransformersPRM(RLHFlow(), tiny.generative(), 8), [Judge(one) for one in probes.samples.solutions()]
    )
    monkeypatch.setattr(probes, "answers", None)  # what is done here
    found = reference.judged(node)
    assert [one.scores for one in found] == [pytest.approx(one.scores, abs=1e-5) for one in expected]


@pytest.mark.slow
def test_a_reference_that_comes_to_nothing() -> None:
    with pytest.raises(UserError, match="nosuch"):
        reference.judged(VLLM | {"model": "./nosuch"})
    with pytest.raises(UserError, match=r"^prm: transformers has not judged \./nosuch within 0 s$"):
        reference.judged(VLLM | {"model": "./nosuch"}, patience=0.0)
    assert not multiprocessing.active_children()


@pytest.mark.slow
def test_a_reference_whose_process_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "_judge", sys.exit)
    with pytest.raises(UserError, match=r"^prm: the process .* ended with exit code 1; the machine may have run out"):
        reference.judged(VLLM)


def test_scores_far_from_the_reference() -> None:
    prm = ScriptedPRM(0.7)
    requests = [probes.Judge(solution) for solution in probes.samples.solutions()]
    expected = probes.answers(prm, requests)
    assert probes.scores(prm, expected).good
    off = [Judged(tuple(1 - score for score in one.scores), 1, 0) for one in expected]
    found = probes.scores(prm, off)
    assert not found.good and "at most from those of transformers" in found.said


def test_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_gpus", lambda: ["0, 20480, 81920", "1, 80000, 81920"])
    policy = SimpleNamespace(cache_tokens=20_480, max_tokens=2048, capacity=256)
    prm = SimpleNamespace(cache_tokens=None, capacity=64)
    config = {"policy": {"gpu_memory_utilization": 0.2}, "prm": {}}
    first, second, one, other = memory.told(policy, prm, config)
    assert first.startswith("policy: caches 20,480 tokens, 10 of the longest solutions; 256 requests at once; raise")
    assert second == "prm: its engine does not say how much it caches; 64 requests at once"
    assert one == "GPU 0: 60.0 of 80.0 GiB are free; the gpu_memory_utilization of the two may be 0.67 more in all"
    assert other == "GPU 1: 1.9 of 80.0 GiB are free"
