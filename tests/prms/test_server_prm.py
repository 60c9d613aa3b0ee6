"""The PRM behind a pooling endpoint, against one on loopback that reads with the families' own models."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

from tests import tiny
from tests.prms.families import FAMILIES, Family, judge
from tests.servers.fake import Fault, Log, serving
from ttcs.core import Judged
from ttcs.errors import EngineError, UserError
from ttcs.prms.pooling import EveryToken, LastToken, Pooling
from ttcs.prms.server import ServerPRM
from ttcs.servers import client

STEPS = ("## Step 1: Multiply: $4 \\cdot 7 = 28$.\n\n", "## Step 2: Add.\n\n", "The answer is: $\\boxed{31}$.")
OTHER = ("## Step 1: Go from left to right: $3 + 4 = 7$.\n\n", "So $\\boxed{49}$.")
LOCK = threading.Lock()

families = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
tasks = pytest.mark.parametrize("pooling", [LastToken(), EveryToken()], ids=lambda pooling: pooling.task)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_WAIT", 0.01)


@cache
def scorer(family: Family) -> Any:
    folder = family.folder()
    return family.format.head.load(folder, AutoTokenizer.from_pretrained(folder), "float32", "cpu")


def endpoint(family: Family) -> dict[str, Callable[[dict[str, Any]], Any]]:
    """vLLM's /pooling with both of its tasks."""

    @torch.inference_mode()
    def pool(body: dict[str, Any]) -> dict[str, Any]:
        assert body["use_activation"] is False
        data = []
        for index, tokens in enumerate(body["input"]):
            with LOCK:
                hidden = scorer(family).model.base_model(torch.tensor([tokens])).last_hidden_state[0]
                rows = scorer(family).head(hidden).float().tolist()
            data.append({"index": index, "data": rows[-1] if body["task"] == "classify" else rows})
        return {"data": data[::-1]}

    return {"/pooling": pool}


def prm(log: Log, family: Family = FAMILIES[0], pooling: Pooling | None = None, **changes: Any) -> ServerPRM:
    settings = {"batch_size": 4} | changes
    return ServerPRM(family.format, family.folder(), log.url, pooling or LastToken(), **settings)


@families
@tasks
def test_scores_are_those_of_the_same_model_here(family: Family, pooling: Pooling) -> None:
    trajectories = [tiny.trajectory(*STEPS), tiny.trajectory(*OTHER), tiny.trajectory(STEPS[0], "\n\n", *OTHER)]
    expected = judge(family.prm(), *trajectories)
    with serving(endpoint(family)) as log:
        for one, other in zip(judge(prm(log, family, pooling), *trajectories), expected, strict=True):
            assert one.scores == pytest.approx(other.scores, abs=1e-5)
            assert one.tokens == other.tokens
        assert len(log.bodies) == 3


@tasks
def test_what_is_known_or_being_read_is_not_sent_again(pooling: Pooling) -> None:
    with serving(endpoint(FAMILIES[0])) as log:
        log.delay = lambda body: 0.1
        engine = prm(log, pooling=pooling)
        first, second = judge(engine, tiny.trajectory(*STEPS), tiny.trajectory(*STEPS))
        (again,) = judge(engine, tiny.trajectory(*STEPS[:2]))
        assert len(log.bodies) == 1 and again.scores == first.scores[:2] and first.scores == second.scores
        assert [first.cached_tokens, second.cached_tokens, again.cached_tokens] == [0, second.tokens, again.tokens]
        engine.reset()
        assert judge(engine, tiny.trajectory(*STEPS)) == [first] and len(log.bodies) == 2


def test_failures_pass_or_are_told() -> None:
    with serving(endpoint(FAMILIES[0])) as log:
        expected = judge(prm(log), tiny.trajectory(*STEPS))
        log.faults.extend([Fault(500), Fault(None), Fault(429), Fault(200, {"error": {"message": "overloaded"}})])
        assert judge(prm(log), tiny.trajectory(*STEPS)) == expected
        log.faults.extend([Fault(500)] * 2)
        with pytest.raises(EngineError, match="gave out after 2 tries"):
            judge(prm(log, retries=1), tiny.trajectory(*STEPS))
        message = "Try switching the model's pooling_task via --pooler-config.task token_classify."
        log.faults.append(Fault(400, {"error": {"message": message}}))
        with pytest.raises(UserError, match=r"pooler-config.task token_classify"):
            judge(prm(log, pooling=EveryToken()), tiny.trajectory(*STEPS))


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (
            {"data": [{"index": 0, "data": [[0.5]]}]},
            "gives 1 rows for .* tokens: it has to be started with --pooler-config",
        ),
        ({"data": []}, "gives 0 results for 1 inputs"),
        ({"choices": []}, "does not answer like vLLM's /pooling"),
    ],
)
def test_an_answer_of_another_form_is_told(answer: dict[str, Any], line: str) -> None:
    with serving({"/pooling": lambda body: dict(answer)}) as log, pytest.raises(UserError, match=line):
        judge(prm(log, pooling=EveryToken()), tiny.trajectory(*STEPS))


def test_a_score_that_is_no_number_stays_one_that_is_seen() -> None:
    def broken(body: dict[str, Any]) -> dict[str, Any]:
        return {"data": [{"index": i, "data": [None]} for i, _ in enumerate(body["input"])]}

    with serving({"/pooling": broken}) as log:
        (result,) = judge(prm(log), tiny.trajectory(*STEPS))
        assert all(score != score for score in result.scores)


def test_no_more_requests_at_once_than_the_batch_size() -> None:
    with serving(endpoint(FAMILIES[0])) as log:
        log.delay = lambda body: 0.1
        judge(prm(log, batch_size=2), *[tiny.trajectory(f"Step {i}.\n\n", "End.") for i in range(6)])
        assert log.peak == 2


def test_the_list_of_models_may_be_missing_where_the_model_is_named() -> None:
    with serving(endpoint(FAMILIES[0])) as log:
        log.models_status = 404
        assert judge(prm(log, served_model="mine"), tiny.trajectory(*STEPS))
        assert log.bodies[-1]["model"] == "mine"


def test_sizes_are_those_of_the_loaded_model() -> None:
    with serving(endpoint(FAMILIES[0])) as log:
        assert prm(log).size == FAMILIES[0].prm().size


def test_a_solution_beyond_the_servers_context_is_not_read() -> None:
    with serving(endpoint(FAMILIES[0])) as log:
        log.models = {"data": [{"id": "prm", "max_model_len": 20}]}
        assert judge(prm(log), tiny.trajectory(*STEPS)) == [Judged((None,) * 3, 0, 0, 20)]
        assert not log.bodies


@tasks
def test_what_a_server_refuses_as_too_long_is_not_read_and_stops_no_other(pooling: Pooling) -> None:
    family = FAMILIES[0]
    whole, beginning, other = tiny.trajectory(*STEPS), tiny.trajectory(*STEPS[:1]), tiny.trajectory(*OTHER)
    longest = len(family.format.reader(AutoTokenizer.from_pretrained(family.folder()), "")(tiny.PROBLEM, STEPS)[-1])

    def refusing(body: dict[str, Any]) -> Any:
        if max(map(len, body["input"])) >= longest:
            return {"status": 400, "error": {"message": "This model's maximum context length is 40 tokens."}}
        return endpoint(family)["/pooling"](body)

    with serving({"/pooling": refusing}) as log:
        log.delay = lambda body: 0.05
        found = judge(prm(log, pooling=pooling), whole, beginning, other)
        assert found[0] == Judged((None,) * 3, 0, 0, longest - 1)
        assert found[1].limit is None and None not in found[1].scores and None not in found[2].scores
