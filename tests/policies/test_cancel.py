"""A request that is given up: what it has come to, and that nothing is decoded for it any more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks import zoo
from tests import tiny
from ttcs.choice.selection import Majority
from ttcs.core import Continue, Continued, Problem, Sample, Search, Trajectory
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.policies.transformers import TransformersPolicy
from ttcs.search import reading
from ttcs.search.budget import Budget
from ttcs.search.scheduler import run


def ask(seed: int, problem: Problem = tiny.PROBLEM, **more: Any) -> Continue:
    return Continue(Trajectory(problem), more.pop("max_steps", None), more.pop("max_tokens", None), None, seed, **more)


def tokens(result: Continued) -> int:
    return sum(len(step.tokens) for step in result.steps) + result.unseen


def finish(engine: Any, expected: int) -> dict[int, Continued]:
    found: dict[int, Continued] = {}
    while len(found) < expected:
        found |= dict(engine.step())
    return found


@pytest.fixture(params=["scripted", "transformers"])
def engine(request: pytest.FixtureRequest) -> Any:
    """One of three rows, a token a step."""
    if request.param == "scripted":
        return ScriptedPolicy(capacity=3, pace=1)
    return TransformersPolicy(tiny.folder(), 0.8, 1.0, 60, 3)


def alone(engine: Any, request: Continue) -> Continued:
    engine.add(0, request)
    return finish(engine, 1)[0]


def test_its_row_is_free_at_once_and_the_others_come_to_what_they_would(engine: Any) -> None:
    """Rows 0 to 2 are at work and 3 waits: 1 is given up, and 3 begins in its place."""
    requests = [ask(seed, max_tokens=30) for seed in range(4)]
    expected = [alone(engine, request) for request in requests]
    for ticket, request in enumerate(requests):
        engine.add(ticket, request)
    for _ in range(4):
        assert engine.step() == []
    given_up = engine.cancel(1)
    whole = [token for step in expected[1].steps for token in step.tokens]
    assert tokens(given_up) == 4
    assert [token for step in given_up.steps for token in step.tokens] == whole[: 4 - given_up.unseen]
    assert given_up.prompt_tokens == expected[1].prompt_tokens
    assert engine.cancel(3) is None  # it had not begun
    engine.add(3, requests[3])
    found = finish(engine, 3)
    assert {ticket: result.steps for ticket, result in found.items()} == {
        ticket: expected[ticket].steps for ticket in (0, 2, 3)
    }


def test_the_last_row_may_be_the_one(engine: Any) -> None:
    requests = [ask(seed, max_tokens=30) for seed in range(3)]
    expected = [alone(engine, request) for request in requests]
    for ticket, request in enumerate(requests):
        engine.add(ticket, request)
    assert engine.step() == []
    assert tokens(engine.cancel(2)) == 1
    assert {ticket: result.steps for ticket, result in finish(engine, 2).items()} == {
        0: expected[0].steps, 1: expected[1].steps
    }  # fmt: skip


def test_its_prefix_stays_and_what_it_had_written_does_not() -> None:
    engine = TransformersPolicy(tiny.folder(), 0.8, 1.0, 60, 2)
    first = alone(engine, ask(0, max_tokens=20))
    size = engine._model.prefixes.size
    engine.add(1, ask(1, max_tokens=20))
    engine.step()
    engine.cancel(1)
    assert engine._model.prefixes.size == size
    again = alone(engine, ask(2, max_tokens=20))
    assert again.cached_tokens == first.prompt_tokens - 1
    assert again.steps == alone(TransformersPolicy(tiny.folder(), 0.8, 1.0, 60, 2), ask(2, max_tokens=20)).steps


class FirstTwo:
    """Eight solutions, of which the first two are enough."""

    def search(self, problem: Problem) -> Search:
        return (yield Sample((Trajectory(problem),) * 8, enough=lambda drawn, groups: len(drawn) == 2))


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Rows of each decoding step of the transformers policy."""
    rows: list[int] = []
    decode = TransformersPolicy._decode

    def counted(self: TransformersPolicy) -> None:
        rows.append(len(self._rows))
        decode(self)

    monkeypatch.setattr(TransformersPolicy, "_decode", counted)
    yield rows


def test_no_token_is_decoded_for_what_nobody_needs(decoded: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """On the zoo: all that was decoded is in the ledger, and is what had come when the second solution had ended."""
    monkeypatch.setattr(reading, "PATIENCE", 60.0)  # else the engine goes on while a busy machine reads answers
    policy, problems = zoo.policy(), zoo.problems(3)
    policy.reset()
    outcomes = list(run(FirstTwo(), Majority(), problems, policy, zoo.prm, Budget(), 0, bound=1, ahead=None))
    assert sum(decoded) == sum(outcome.ledger.decoded_tokens for outcome in outcomes)
    for outcome in outcomes:
        longest = max(len(candidate.tokens) for candidate in outcome.candidates)
        assert 0 < outcome.ledger.speculated_tokens <= 6 * longest
    assert len(decoded) == sum(max(len(one.tokens) for one in outcome.candidates) for outcome in outcomes)
    assert policy.step() == [] and policy._rows == []


def test_with_nothing_ahead_nothing_is_wasted(decoded: list[int]) -> None:
    policy, problems = zoo.policy(), zoo.problems(3)
    policy.reset()
    outcomes = list(run(FirstTwo(), Majority(), problems, policy, zoo.prm, Budget(), 0, ahead=0))
    kept = sum(len(candidate.tokens) for outcome in outcomes for candidate in outcome.candidates)
    assert sum(decoded) == kept == sum(outcome.ledger.decoded_tokens for outcome in outcomes)
