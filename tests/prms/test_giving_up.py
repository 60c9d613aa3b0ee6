"""A request to a PRM that is given up is not read, and the others come to what they would."""

from __future__ import annotations

from typing import Any

import pytest

from tests import tiny
from tests.prms.test_vllm_prm import prm as vllm  # noqa: F401 (a fixture)
from ttcs.core import Judge, Judged
from ttcs.prms.rlhflow import RLHFlow
from ttcs.prms.scripted import ScriptedPRM
from ttcs.prms.transformers import TransformersPRM

TEXTS = ("One step.\n\n", "Another.\n\n"), ("One step.\n\n", "A third.\n\n"), ("Nothing in common.\n\n",)


@pytest.fixture(params=["scripted", "transformers", "vllm"])
def engine(request: pytest.FixtureRequest) -> Any:
    if request.param == "scripted":
        return ScriptedPRM(capacity=1)
    if request.param == "vllm":
        return request.getfixturevalue("vllm")
    return TransformersPRM(RLHFlow(), tiny.folder(), 1)


def test_the_others_are_read(engine: Any) -> None:
    requests = [Judge(tiny.trajectory(*texts), order) for order, texts in enumerate(TEXTS)]
    expected = [finish(engine, {0: request})[0].scores for request in requests]
    engine.reset()
    for given_up in range(3):
        for ticket, request in enumerate(requests):
            engine.add(ticket, request)
        engine.cancel(given_up)
        found = finish(engine, {}, 2)
        assert {ticket: result.scores for ticket, result in found.items()} == {
            ticket: pytest.approx(expected[ticket], abs=1e-5) for ticket in range(3) if ticket != given_up
        }
        assert engine.step() == []
        engine.reset()


def finish(engine: Any, requests: dict[int, Judge], wanted: int = 1) -> dict[int, Judged]:
    for ticket, request in requests.items():
        engine.add(ticket, request)
    found: dict[int, Judged] = {}
    for _ in range(1000):
        found |= dict(engine.step())
        if len(found) == wanted:
            return found
    raise AssertionError(f"{len(found)} of {wanted} came")
