"""How sure a policy says it was, and what is given up for want of it: the same on every engine."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from tests import tiny
from tests.policies.test_vllm_policy import Engine
from tests.servers import brain
from tests.servers.fake import Log, serving
from ttcs.core import Confidence, Continue, Continued, Step, Stop, Trajectory, overall
from ttcs.errors import UserError
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.policies.scripted_confidence import sureness as told
from ttcs.policies.server import ServerPolicy
from ttcs.policies.sureness import Sureness
from ttcs.policies.transformers import TransformersPolicy
from ttcs.policies.vllm import VLLMPolicy
from ttcs.servers.text import TextCompletions
from ttcs.servers.tokens import TokenCompletions

ROOT = Trajectory(tiny.PROBLEM)
NONE = float("-inf")


def ask(seed: int = 3, **more: Any) -> Continue:
    return Continue(ROOT, more.pop("max_steps", None), None, more.pop("temperature", None), seed, **more)


def finish(engine: Any, *requests: Continue) -> list[Continued]:
    for ticket, request in enumerate(requests):
        engine.add(ticket, request)
    found: dict[int, Continued] = {}
    while len(found) < len(requests):
        found |= dict(engine.step())
    return [found[ticket] for ticket in range(len(requests))]


def local(batch_size: int = 8, **changes: Any) -> TransformersPolicy:
    settings = {"temperature": 0.8, "top_p": 0.9, "max_tokens": 60, "end_at_box": False} | changes
    return TransformersPolicy(tiny.folder(), batch_size=batch_size, **settings)


def reference(result: Continued, k: int) -> list[float]:
    """Of each token, by the model without any cache."""
    model = AutoModelForCausalLM.from_pretrained(tiny.folder(), dtype="float32").eval()
    prompt, made = local()._prompt(tiny.PROBLEM), [token for step in result.steps for token in step.tokens]
    with torch.no_grad():
        logits = model(torch.tensor([[*prompt, *made]])).logits[0, len(prompt) - 1 : -1]
    likeliest = torch.log_softmax(logits, -1).sort(descending=True).values[:, :k]
    return [-float(row.sum()) / k for row in likeliest]


def windows(told: list[float], size: int) -> list[float | None]:
    """The mean of the window that ends at each token."""
    return [sum(told[end - size : end]) / size if end >= size else None for end in range(1, len(told) + 1)]


def expected(result: Continued, told: list[float], size: int) -> list[tuple[float, float | None]]:
    found, start = [], 0
    for step in result.steps:
        end = start + len(step.tokens)
        full = [mean for mean in windows(told, size)[start:end] if mean is not None]
        found.append((sum(told[start:end]) / len(step.tokens), min(full, default=None)))
        start = end
    return found


def test_it_is_the_models_own_and_only_where_it_is_asked_for() -> None:
    asked = [ask(confidence=5, least=(NONE, 7)), ask(), ask(confidence=3), ask(5, confidence=5, logprobs=True)]
    told, untold, other, _ = finish(local(), *asked)
    assert [step.tokens for step in told.steps] == [step.tokens for step in untold.steps]
    assert all(step.confidence is None for step in untold.steps)
    for result, k, size in ((told, 5, 7), (other, 3, 10**6)):
        sure = [step.confidence for step in result.steps]
        for known, (mean, least) in zip(sure, expected(result, reference(result, k), size), strict=True):
            assert known is not None and known.mean == pytest.approx(mean, abs=2e-4)
            assert known.least == (None if least is None else pytest.approx(least, abs=2e-4))


@pytest.mark.parametrize("engine", [local, lambda batch: ScriptedPolicy(capacity=batch)])
@pytest.mark.parametrize("batch", [1, 3, 8])
def test_a_solution_ends_with_the_first_window_that_is_too_unsure(engine: Any, batch: int) -> None:
    """The threshold lies between the windows of the undisturbed solution, so that one ends early and one does not."""
    size = 6
    whole = finish(engine(8), *(ask(seed, confidence=4, least=(NONE, size)) for seed in range(6)))
    least = sorted(overall([(1, step.confidence) for step in one.steps if step.confidence]).least for one in whole)  # type: ignore[union-attr]
    threshold = (least[2] + least[3]) / 2
    cut = finish(engine(batch), *(ask(seed, confidence=4, least=(threshold, size)) for seed in range(6)))
    stops = [one.steps[-1].stop for one in cut]
    assert stops.count(Stop.DOUBT) == 3
    for one, full in zip(cut, whole, strict=True):
        tokens = [token for step in one.steps for token in step.tokens]
        assert tokens == [token for step in full.steps for token in step.tokens][: len(tokens)]
        trajectory = ROOT.extend(one.steps)
        if one.steps[-1].stop is Stop.DOUBT:
            assert trajectory.cut_off and trajectory.confidence is not None and trajectory.confidence.least is not None
            assert trajectory.confidence.least < threshold and len(tokens) >= size
            before = trajectory.prefix(len(trajectory.steps) - 1).confidence
            assert before is None or before.least is None or before.least >= threshold
        else:
            assert one.steps == full.steps


def test_the_confidence_of_a_whole() -> None:
    parts = [(2, Confidence(3.0, 2.0, 2.5, 2.0)), (6, Confidence(5.0)), (1, Confidence(1.0, 1.5, 1.75, 1.5))]
    assert overall(parts) == Confidence(37 / 9, 1.5, 1.75, 1.5)
    assert overall(parts[:2]) == Confidence(4.5, 2.0, 2.5, 2.0) and overall(parts[1:2]) == Confidence(5.0)
    assert overall([(2, Confidence(3.0, 2.0))]) == Confidence(3.0, 2.0)  # of a record from before there was a tail
    assert Confidence(*Confidence(3.0, 2.0, 2.5, 2.25).values) == Confidence(3.0, 2.0, 2.5, 2.25)
    assert Confidence(3.0).values == (3.0, None)


def test_the_last_window_and_the_lowest_tenth_of_all_so_far() -> None:
    sureness = Sureness((NONE, 2))
    for value in (4.0, 2.0, 6.0, *[8.0] * 19, 1.0):
        sureness.add(value)
    assert sureness.of(0, 1) == Confidence(4.0)  # no window is full
    assert sureness.of(1, 3) == Confidence(4.0, 3.0, 4.0, 3.0)  # 3 and 4: one of them is the lowest tenth
    assert sureness.of(3, 12) == Confidence(8.0, 7.0, 8.0, 3.5)  # of eleven windows two are
    assert sureness.of(12, 23) == Confidence(pytest.approx(81 / 11), 4.5, 4.5, pytest.approx((3 + 4 + 4.5) / 3))


def test_the_scripted_policy_tells_the_same() -> None:
    (result,) = finish(ScriptedPolicy(), ask(confidence=4, least=(NONE, 25)))
    sureness, start = Sureness((NONE, 25)), 0
    for step in result.steps:
        for _ in step.tokens:
            sureness.add(told(step))
        sure, end = sureness.of(start, start + len(step.tokens)), start + len(step.tokens)
        assert step.confidence is not None and sure is not None
        assert step.confidence.values == pytest.approx(sure.values, abs=2e-4)
        start = end
    assert overall([(1, step.confidence) for step in result.steps if step.confidence]) is not None
    assert overall([]) is None
    assert ROOT.extend([Step(0, (1,), "x", Stop.END)]).confidence is None


@pytest.fixture
def server() -> Iterator[Log]:
    """A server of token ids that tells of the likeliest."""

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        said = brain.completions(body)
        tokens = said["choices"][0]["token_ids"]
        if k := body.get("logprobs"):
            assert body["return_tokens_as_token_ids"]
            rows = [brain.logits((*body["prompt"], *tokens[:end])) for end in range(len(tokens))]
            likeliest = [torch.log_softmax(row[0], -1).topk(k) for row in rows]
            top = [{f"token_id:{i}": v for i, v in zip(t.indices.tolist(), t.values.tolist(), strict=True)}
                   for t in likeliest]  # fmt: skip
            said["choices"][0]["logprobs"] = {"token_logprobs": [0.0] * len(tokens), "top_logprobs": top}
        return said

    with serving({"/v1/completions": answer}) as log:
        yield log


def remote(log: Log, **body: Any) -> ServerPolicy:
    api = TokenCompletions({"return_token_ids": True, **body})
    return ServerPolicy(tiny.folder(), log.url, api, 0.8, 0.9, 60, 8, end_at_box=False)


def test_a_server_says_what_the_same_model_says_here(server: Log) -> None:
    asked = [ask(confidence=5, least=(NONE, 4)), ask(4, confidence=5, max_steps=1)]
    for one, other in zip(finish(remote(server), *asked), finish(local(), *asked), strict=True):
        assert [step.tokens for step in one.steps] == [step.tokens for step in other.steps]
        for there, here in zip(one.steps, other.steps, strict=True):
            assert there.confidence is not None and here.confidence is not None
            assert there.confidence.mean == pytest.approx(here.confidence.mean, abs=2e-4)


def test_what_a_server_wrote_beyond_the_doubt_is_charged(server: Log) -> None:
    (whole,) = finish(remote(server), ask(confidence=5))
    (cut,) = finish(remote(server), ask(confidence=5, least=(float("inf"), 4)))
    assert cut.steps[-1].stop is Stop.DOUBT and sum(len(step.tokens) for step in cut.steps) == 4
    assert 4 + cut.unseen == sum(len(step.tokens) for step in whole.steps)


def test_a_server_that_keeps_the_likeliest_to_itself_is_told_of() -> None:
    with (
        serving({"/v1/completions": brain.completions}) as log,
        pytest.raises(UserError, match=r"gave the likeliest of 0 of \d+ tokens"),
    ):
        finish(remote(log), ask(confidence=5))


def test_an_api_without_token_ids_refuses() -> None:
    with serving({"/v1/completions": brain.completions}) as log:
        policy = ServerPolicy(tiny.folder(), log.url, TextCompletions({}), 0.8, 1.0, 60, 8)
        with pytest.raises(UserError, match="does not give the log-probabilities"):
            policy.add(0, ask(confidence=5))


def test_vllm_is_asked_for_the_likeliest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token that was written comes beside the k likeliest where it is none of them."""

    class Telling(Engine):
        def step(self, patience: float) -> list[SimpleNamespace]:
            outputs = super().step(patience)
            for output in outputs:
                (piece,) = output.outputs
                values = {1: -1.0, 2: -2.0, piece.token_ids[0]: -9.0}
                piece.logprobs = [{token: SimpleNamespace(logprob=value) for token, value in values.items()}]
            return outputs

    monkeypatch.setattr("ttcs.policies.vllm.Engine", Telling)
    policy = VLLMPolicy(tiny.folder(), 0.8, 1.0, 60, 8)
    policy._engine.prompt = len(policy._prompt(tiny.PROBLEM))
    policy._engine.solution = [5] * 100
    (result,) = finish(policy, ask(confidence=2, least=(1.6, 3)))
    assert [asked.logprobs for asked in policy._engine.asked] == [2]
    assert [(len(step.tokens), step.stop, step.confidence) for step in result.steps] == [
        (3, Stop.DOUBT, Confidence(1.5, 1.5, 1.5, 1.5))
    ]
    assert policy._engine.aborted == ["0"]
    with pytest.raises(UserError, match="asks for 21 likeliest tokens, and vLLM tells of 20 at most"):
        policy.add(1, ask(confidence=21))
