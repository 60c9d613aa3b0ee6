"""Searches side by side: none waits for another, and none comes to something else for it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation import PROBLEMS, CountingPolicy, CountingPRM, comparable, one, simulate
from ttcs.choice import reduction
from ttcs.choice.selection import Best
from ttcs.core import Continue, Continued, Judge, Judged, Parallel, Problem, Sample, Score, Search, Stop, Trajectory
from ttcs.errors import UserError
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.prms.scripted import ScriptedPRM
from ttcs.search.budget import Budget
from ttcs.search.execution import Outcome
from ttcs.search.scheduler import run
from ttcs.strategies.dvts import DVTS
from ttcs.strategies.revisions import Revisions
from ttcs.strategies.search_and_revise import SearchAndRevise
from ttcs.strategies.self_refine import SelfRefine


@dataclass
class Drawn(ScriptedPolicy):
    """Hands back one result at a time, whichever is drawn, so that requests overtake each other in any order."""

    order: random.Random = field(default_factory=random.Random)
    waiting: list[tuple[int, Continue]] = field(default_factory=list)

    def add(self, ticket: int, request: Continue) -> None:
        self.waiting.append((ticket, request))

    def step(self) -> list[tuple[int, Continued]]:
        ticket, request = self.waiting.pop(self.order.randrange(len(self.waiting)))
        return [(ticket, self.continued(request))]

    def cancel(self, ticket: int) -> Continued | None:
        self.waiting = [entry for entry in self.waiting if entry[0] != ticket]
        return None


@dataclass
class DrawnPRM(ScriptedPRM):
    order: random.Random = field(default_factory=random.Random)
    waiting: list[tuple[int, Judge]] = field(default_factory=list)

    def add(self, ticket: int, request: Judge) -> None:
        self.waiting.append((ticket, request))

    def step(self) -> list[tuple[int, Judged]]:
        ticket, request = self.waiting.pop(self.order.randrange(len(self.waiting)))
        return [(ticket, self.judged(request.trajectory))]


@dataclass(frozen=True)
class Nested:
    """Branches of branches of unequal length, some of which look ahead, revise, or share what is not scored yet."""

    def search(self, problem: Problem) -> Search:
        first = yield Sample((Trajectory(problem),) * 2, max_steps=1)
        inner = yield Parallel(tuple(self.branch(start, i) for i, start in enumerate((*first, first[0]))))
        more = yield Sample((Trajectory(problem),), max_steps=1)
        again = yield Parallel((self.leaf(more[0]), self.leaf(more[0])))
        none = yield Parallel(())
        return (*inner, *again, *none)

    def branch(self, start: Trajectory, number: int) -> Search:
        if number == 1:
            yield Score((start,))
        found = yield Parallel(tuple(self.leaf(start) for _ in range(number + 1)))
        scored = yield Score(found)
        return tuple(child for child in scored if child.scores[-1] > 0.2)

    def leaf(self, start: Trajectory) -> Search:
        yield Sample((start,), max_steps=2, lookahead=True)
        return (yield Score((yield Sample((start,) * 2, max_steps=None))))


SEARCHES = {
    "nested": Nested(),
    "dvts": DVTS(12, 2, 40, reduction.last),
    "revisions": Revisions(12, 4, 2, sure=0.9),
    "search_and_revise": SearchAndRevise(12, DVTS(8, 2, 40, reduction.last), 8, 2, 4, reduction.last),
    "self_refine": SelfRefine(9, 3, "what is wrong?", "do better"),
}
every = pytest.mark.parametrize("name", SEARCHES)
CACHES = "seconds", "cached_tokens", "prm_tokens", "prm_cached_tokens", "policy_flops", "prm_flops"


def determined(outcomes: dict[str, Outcome]) -> dict[str, tuple[object, ...]]:
    """All but clocks and the luck of caches."""
    return {
        name: (
            outcome.candidates,
            outcome.tree,
            {key: value for key, value in asdict(outcome.ledger).items() if key not in CACHES},
        )
        for name, outcome in outcomes.items()
    }


@every
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_outcomes_are_the_same_in_every_order_of_arrival(name: str, seed: int) -> None:
    strategy, problems, order = SEARCHES[name], PROBLEMS[:3], random.Random(seed)
    policy, prm = ScriptedPolicy(max_tokens=160), ScriptedPRM()
    usual = simulate(strategy, problems=problems, policy=policy, prm=prm)
    drawn = Drawn(max_tokens=160, capacity=order.choice([1, 5, 1000]), order=order), DrawnPRM(order=order)
    assert determined(simulate(strategy, problems=problems, policy=drawn[0], prm=drawn[1])) == determined(usual)


@every
def test_nodes_are_numbered_branch_by_branch_each_behind_its_parent(name: str) -> None:
    outcome = one(SEARCHES[name], policy=Drawn(order=random.Random(1)))
    numbers = [node.step.node for node in outcome.tree]
    assert numbers == sorted(set(numbers))
    assert all(node.parent is None or node.parent < node.step.node for node in outcome.tree)
    whole = outcome.ledger.lookahead_generations == 0
    assert not whole or numbers == list(range(len(numbers)))


def test_the_steps_of_a_subtree_stand_together() -> None:
    outcome = one(SEARCHES["dvts"])
    roots = [node.step.node for node in outcome.tree if node.parent is None]
    firsts = [[candidate.steps[0].node for candidate in outcome.candidates[i : i + 2]] for i in range(0, 12, 2)]
    pairs = [outcome.candidates[i : i + 2] for i in range(0, 12, 2)]
    nodes = [[step.node for candidate in pair for step in candidate.steps] for pair in pairs]
    assert len(roots) == 12 and firsts == sorted(firsts)
    assert all(max(one) < min(other) for one, other in pairwise(nodes))


@every
def test_a_branch_is_the_same_whatever_stands_beside_it(name: str) -> None:
    """Seeds are of the branch and of the turn within it."""
    policy = CountingPolicy()
    simulate(SEARCHES[name], policy=policy)
    seeds = [request.seed for request in policy.asked.values()]
    assert len(set(seeds)) == len(seeds)


def test_a_larger_dvts_begins_with_the_smaller_one() -> None:
    small, large = (one(DVTS(n, 4, 40, reduction.last)) for n in (8, 16))
    assert large.candidates[:8] == small.candidates and large.tree[: len(small.tree)] == small.tree


@dataclass
class Slow(Drawn):
    """One subtree's requests come back only when there are no others."""

    slow: int = 0
    now: int = 0
    ends: dict[int | None, int] = field(default_factory=dict)

    def step(self) -> list[tuple[int, Continued]]:
        self.now += 1
        self.waiting.sort(key=lambda pair: pair[1].trajectory.subtree == self.slow)
        ticket, request = self.waiting.pop(0)
        self.ends[request.trajectory.subtree] = self.now
        return [(ticket, self.continued(request))]


@pytest.mark.parametrize("name", ["dvts", "revisions", "self_refine"])
def test_a_slow_branch_holds_up_no_other(name: str) -> None:
    strategy, policy = SEARCHES[name], Slow()
    found = simulate(strategy, problems=PROBLEMS[4:5], policy=policy)
    assert determined(found) == determined({"p4": one(strategy)})
    asked = policy.now
    slow = policy.ends.pop(0)
    assert slow == asked > max(policy.ends.values())


@every
@pytest.mark.parametrize("budget", [Budget(generations=15), Budget(tokens=400), Budget(flops=2 * 10**9)])
def test_with_a_budget_branches_advance_together(name: str, budget: Budget) -> None:
    policy = CountingPolicy(ScriptedPolicy(capacity=1000))
    usual = simulate(SEARCHES[name], budget=budget, policy=policy)
    drawn = Drawn(order=random.Random(2)), DrawnPRM(order=random.Random(3))
    assert comparable(simulate(SEARCHES[name], budget=budget, policy=drawn[0], prm=drawn[1])) == comparable(usual)
    for outcome in usual.values():
        nodes = {node.step.node for node in outcome.tree}
        assert all({step.node for step in candidate.steps} <= nodes for candidate in outcome.candidates)


@every
def test_a_budget_that_is_large_enough_changes_nothing(name: str) -> None:
    limited = simulate(SEARCHES[name], budget=Budget(10**6, 10**9, 10**18))
    assert determined(limited) == determined(simulate(SEARCHES[name]))


class Failing:
    """The second of three branches fails at its second request; what is closed is on the list."""

    def __init__(self) -> None:
        self.closed: list[str] = []

    def search(self, problem: Problem) -> Search:
        try:
            return (yield Parallel((self.outer(problem), self.branch(problem, "b", 9))))
        finally:
            self.closed.append("search")

    def outer(self, problem: Problem) -> Search:
        try:
            limits = {"a": 9, "x": 1, "c": 9}
            return (yield Parallel(tuple(self.branch(problem, name, fails) for name, fails in limits.items())))
        finally:
            self.closed.append("outer")

    def branch(self, problem: Problem, name: str, fails: int) -> Search:
        found: tuple[Trajectory, ...] = ()
        try:
            for turn in range(9):
                if turn == fails:
                    raise ZeroDivisionError(name)
                found += yield Sample((Trajectory(problem),), max_steps=1)
            return found
        finally:
            self.closed.append(name)


@pytest.mark.parametrize("budget", [Budget(), Budget(generations=100)])
def test_an_error_in_a_branch_ends_the_others_and_reaches_the_caller(budget: Budget) -> None:
    strategy = Failing()
    outcomes = run(strategy, Best(), PROBLEMS[:1], ScriptedPolicy(), ScriptedPRM, budget, 0)
    with pytest.raises(ZeroDivisionError, match="x") as failure:
        next(outcomes)
    assert sorted(strategy.closed) == ["a", "b", "c", "outer", "search", "x"]  # while the error is still held
    del failure


def test_a_budget_that_runs_out_closes_the_branches() -> None:
    class Endless(Failing):
        def outer(self, problem: Problem) -> Search:
            return self.branch(problem, "a", 99)

    strategy = Endless()
    outcome = one(strategy, budget=Budget(generations=7))
    assert outcome.ledger.generations == len(outcome.tree) == 7
    assert sorted(strategy.closed) == ["a", "b", "search"]


def test_a_score_that_another_branch_gave_is_seen_when_all_have_ended() -> None:
    seen: list[bool] = []

    class Shared:
        def search(self, problem: Problem) -> Search:
            start = yield Sample((Trajectory(problem),), max_steps=1)
            yield Parallel((self.judge(start), self.look(start)))
            (after,) = yield Score(start)
            seen.append(after.scored)
            return (after,)

        def judge(self, start: tuple[Trajectory, ...]) -> Search:
            return (yield Score(start))

        def look(self, start: tuple[Trajectory, ...]) -> Search:
            yield from self.idle(start[0].problem)
            (child,) = yield Sample(start, max_steps=1, lookahead=True)
            seen.append(child.scores != ())
            return ()

        def idle(self, problem: Problem) -> Iterator[Sample]:
            for _ in range(5):
                yield Sample((Trajectory(problem),), max_steps=1, lookahead=True)

    prm = CountingPRM()
    outcome = one(Shared(), prm=prm)
    assert seen == [False, True]
    assert outcome.ledger.prm_calls == len(prm.asked) == 1
    assert [node.step.stop for node in outcome.tree] == [Stop.STEP]


def test_what_an_engine_fails_with_reaches_the_caller() -> None:
    class Broken(ScriptedPolicy):
        def step(self) -> list[tuple[int, Continued]]:
            raise UserError("no more")

    with pytest.raises(UserError, match="no more"):
        one(SEARCHES["dvts"], policy=Broken())
