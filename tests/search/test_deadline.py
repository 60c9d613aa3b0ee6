"""Searches whose time is up: what has ended of them is all they come to, and all that was decoded is on the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from tests.simulation import PROBLEMS, STRATEGIES, comparable, simulate
from ttcs.choice.selection import Best
from ttcs.core import Continue, Continued
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.prms.scripted import ScriptedPRM
from ttcs.search.budget import Budget
from ttcs.search.execution import Execution, Outcome
from ttcs.search.opening import Opening
from ttcs.search.scheduler import Ended, Searches

LATE = 1  # the number of the problem whose time is up
every = pytest.mark.parametrize("name", STRATEGIES)


class Counted(ScriptedPolicy):
    """Tokens that it has decoded for the late problem."""

    def __post_init__(self) -> None:
        self.decoded = 0
        self.orders: dict[int, int] = {}

    def add(self, ticket: int, request: Continue) -> None:
        self.orders[ticket] = request.order
        super().add(ticket, request)

    def cancel(self, ticket: int) -> Continued | None:
        return self.count(ticket, super().cancel(ticket))

    def step(self) -> list[tuple[int, Continued]]:
        found = super().step()
        for ticket, result in found:
            self.count(ticket, result)
        return found

    def count(self, ticket: int, result: Continued | None) -> Continued | None:
        if result is not None and self.orders[ticket] == LATE:
            self.decoded += sum(len(step.tokens) for step in result.steps) + result.unseen
        return result


def work(name: str, after: int, policy: ScriptedPolicy, prm: ScriptedPRM) -> Iterator[Ended]:
    """All problems; the time of one is up after so many pieces of work."""
    searches, pieces = Searches(policy, lambda: prm, Opening(None, policy.max_tokens)), count()
    for order, problem in enumerate(PROBLEMS):
        execution = Execution(problem, policy, lambda: prm, Budget(), 0, ahead=2)
        yield from searches.begin(order, execution.run(STRATEGIES[name].search(problem), True))
    while searches.waiting:
        if next(pieces) == after:
            yield from searches.expire(LATE)
        yield from searches.work()
    assert not (searches.open or searches._joins._waiting or policy._active or policy._queue)


@every
@pytest.mark.parametrize("after", [0, 2, 8, 15])
def test_what_has_ended_is_what_it_comes_to(name: str, after: int) -> None:
    policy = Counted(capacity=60, pace=9)
    found = {one.order: one.outcome for one in work(name, after, policy, ScriptedPRM(capacity=3))}
    assert sorted(found) == list(range(len(PROBLEMS)))
    late = found.pop(LATE)
    ledger = late.ledger
    assert late.late or late.candidates
    assert ledger.decoded_tokens == policy.decoded
    assert all(one.finished for one in late.candidates) or not late.late
    assert len(late.candidates) < 2 or all(one.scored for one in late.candidates if one.finished)
    sampled = {step.node: len(step.tokens) for one in late.candidates for step in one.steps if not step.given}
    spare = ledger.discarded_tokens + ledger.lookahead_tokens + ledger.speculated_tokens
    assert sum(sampled.values()) + spare == ledger.decoded_tokens and ledger.discarded_tokens >= 0
    assert not any(outcome.late for outcome in found.values())


def test_the_others_do_not_notice() -> None:
    ended = work("dvts", 6, ScriptedPolicy(capacity=60, pace=9), ScriptedPRM(capacity=3))
    found = {one.outcome.problem.id: one.outcome for one in ended}
    assert found.pop(PROBLEMS[LATE].id).late
    expected = comparable(simulate(STRATEGIES["dvts"], selection=Best()))
    assert comparable(found) == {name: expected[name] for name in found}


@pytest.mark.parametrize("name", ["best_of_n", "adaptive_vote", "revisions"])
def test_those_that_have_ended_vote(name: str) -> None:
    """Not all of them, and not none."""

    def candidates(after: int) -> Outcome:
        policy = ScriptedPolicy(capacity=200, pace=5)
        return next(one.outcome for one in work(name, after, policy, ScriptedPRM()) if one.order == LATE)

    several = [found for found in map(candidates, range(5, 40, 5)) if found.late]
    whole = len(simulate(STRATEGIES[name])["p1"].candidates)
    assert any(0 < len(found.candidates) < whole for found in several) and all(found.adaptive for found in several)
