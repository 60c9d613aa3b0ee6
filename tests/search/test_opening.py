"""How many problems are open at a time, and who is served first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial

import pytest

from tests.simulation import PROBLEMS, STRATEGIES, comparable, simulate
from ttcs.choice.selection import Best
from ttcs.core import Continue, Judge, Problem, Step, Stop, Trajectory
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.prms.scripted import ScriptedPRM
from ttcs.search.budget import Budget
from ttcs.search.opening import Opening
from ttcs.search.scheduler import run
from ttcs.servers.turns import Turns


def trajectories(scores: Sequence[float | None]) -> list[Trajectory]:
    """Two of them, with 10 tokens in each of their steps; they share all but the last."""
    steps = [Step(node, tuple(range(10)), "x", Stop.STEP, score) for node, score in enumerate([*scores, scores[-1]])]
    return [Trajectory(PROBLEMS[0], (*steps[:-2], last)) for last in steps[-2:]]


def test_a_problem_that_reads_nothing_again_takes_no_room() -> None:
    opening = Opening(None, longest=100)
    opening.holds(50)
    opening.begin(0)
    opening.wave(0, "search", trajectories([None, None]), scoring=True)
    opening.end(0)
    opening.begin(1)
    assert opening.room


def test_problems_are_opened_as_long_as_their_working_sets_fit() -> None:
    """One came to 20 tokens that were scored and 20 new ones: 0.75 of 160 tokens have room for three like it."""
    opening = Opening(None, longest=100)
    opening.holds(None)
    opening.holds(1000)
    opening.holds(160)
    opening.begin(0)
    opening.wave(0, "search", trajectories([0.5, 0.5, None]), scoring=True)
    opening.end(0)
    for order in (1, 2, 3):
        assert opening.room
        opening.begin(order)
    assert not opening.room
    opening.end(1)
    assert opening.room


def test_before_a_problem_has_ended_its_requests_are_counted() -> None:
    """Two requests at an eighth of 400 tokens: 100 for each problem."""
    for cache, room in ((260, False), (280, True)):
        opening = Opening(None, longest=400)
        opening.holds(cache)
        opening.begin(0)
        opening.wave(0, "search", [Trajectory(PROBLEMS[0])] * 2, scoring=False)
        assert opening.room is room


def most_open(bound: int | None, policy: ScriptedPolicy, prm: ScriptedPRM) -> int:
    opened: list[int] = []
    ended: list[str] = []

    def arrivals() -> Iterator[Problem]:
        for i, problem in enumerate(PROBLEMS):
            opened.append(i + 1 - len(ended))
            yield problem

    outcomes = run(STRATEGIES["dvts"], Best(), arrivals(), policy, lambda: prm, Budget(), 0, bound)
    ended.extend(outcome.problem.id for outcome in outcomes)
    return max(opened)


@pytest.mark.parametrize("bound", [1, 3])
def test_no_more_problems_are_open_than_the_bound(bound: int) -> None:
    assert most_open(bound, ScriptedPolicy(capacity=1000), ScriptedPRM()) == bound


def test_no_more_problems_are_open_than_the_caches_hold() -> None:
    assert most_open(None, ScriptedPolicy(capacity=1000), ScriptedPRM()) == len(PROBLEMS)
    free, small = ScriptedPRM(capacity=1), ScriptedPRM(capacity=1, cache_tokens=1500)
    policy = ScriptedPolicy(capacity=16)
    assert most_open(None, policy, small) < most_open(None, policy, free)
    assert most_open(None, ScriptedPolicy(capacity=1000, cache_tokens=1), ScriptedPRM()) == 1


@pytest.mark.parametrize("name", STRATEGIES)
def test_outcomes_do_not_depend_on_the_bound(name: str) -> None:
    usual = comparable(simulate(STRATEGIES[name]))
    for bound, cache in ((1, None), (4, None), (None, 1), (None, 1500)):
        policy, load = ScriptedPolicy(capacity=7, pace=9), partial(ScriptedPRM, capacity=5, cache_tokens=cache)
        outcomes = run(STRATEGIES[name], Best(), PROBLEMS, policy, load, Budget(), 0, bound)
        assert comparable({outcome.problem.id: outcome for outcome in outcomes}) == usual


def test_requests_carry_the_number_of_their_problem() -> None:
    orders: dict[str, set[int]] = {}

    class Policy(ScriptedPolicy):
        def add(self, ticket: int, request: Continue) -> None:
            orders.setdefault(request.trajectory.problem.id, set()).add(request.order)
            super().add(ticket, request)

    class PRM(ScriptedPRM):
        def add(self, ticket: int, request: Judge) -> None:
            orders[request.trajectory.problem.id].add(request.order)
            super().add(ticket, request)

    simulate(STRATEGIES["dvts"], policy=Policy(), prm=PRM())
    assert orders == {problem.id: {i} for i, problem in enumerate(PROBLEMS)}


def test_the_oldest_problem_is_served_first() -> None:
    policy, prm = ScriptedPolicy(capacity=1), ScriptedPRM(capacity=1)
    for ticket, order in enumerate((2, 0, 1, 0)):
        policy.add(ticket, Continue(Trajectory(PROBLEMS[0]), 1, None, None, seed=ticket, order=order))
        prm.add(ticket, Judge(Trajectory(PROBLEMS[0]), order))
    assert [policy.step()[0][0] for _ in range(4)] == [1, 3, 2, 0]
    assert [prm.step()[0][0] for _ in range(4)] == [1, 3, 2, 0]


def test_turns_go_to_the_oldest_problem() -> None:
    served: list[int] = []

    async def work(turns: Turns, order: int, ticket: int) -> None:
        async with turns.turn(order, ticket):
            served.append(ticket)
            await asyncio.sleep(0)

    async def all_of_them() -> None:
        turns = Turns(1)
        tasks = [asyncio.create_task(work(turns, order, ticket)) for ticket, order in enumerate((5, 2, 0, 1, 0))]
        await asyncio.sleep(0)
        tasks[3].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(all_of_them())
    assert served == [0, 2, 4, 1]
