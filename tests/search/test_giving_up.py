"""Searches that fail or are given up while others are under way: the others notice nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.simulation import PROBLEMS, STRATEGIES, comparable, simulate
from ttcs.choice.selection import Best
from ttcs.core import Parallel, Problem, Sample, Search, Strategy, Trajectory
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.prms.scripted import ScriptedPRM
from ttcs.search.budget import Budget
from ttcs.search.execution import Execution, Outcome
from ttcs.search.opening import Opening
from ttcs.search.scheduler import Ended, Searches

every = pytest.mark.parametrize("name", ["best_of_n", "beam_search", "dvts", "lookahead", "revisions"])


class Desk:
    """Searches of the problems in order, begun as there is room; `between` happens before each piece of work."""

    def __init__(self, choose: Callable[[Problem], Strategy]) -> None:
        self.policy, self.prm = ScriptedPolicy(capacity=7, pace=3), ScriptedPRM(capacity=3)
        self.searches = Searches(self.policy, lambda: self.prm, Opening(None, self.policy.max_tokens))
        self.choose = choose

    def run(self, between: Callable[[], None] = lambda: None) -> Iterator[Ended]:
        waiting = list(enumerate(PROBLEMS))
        while waiting or self.searches.waiting:
            while waiting and self.searches.room:
                order, problem = waiting.pop(0)
                execution = Execution(problem, self.policy, lambda: self.prm, Budget(), 0)
                yield from self.searches.begin(order, execution.run(self.choose(problem).search(problem), True))
            between()
            yield from self.searches.work()


def outcomes(ended: Iterator[Ended]) -> dict[str, Outcome]:
    return {one.found.problem.id: one.found for one in ended if isinstance(one.found, Outcome)}


@every
@pytest.mark.parametrize("after", [1, 9, 25])
def test_one_that_is_given_up_leaves_nothing_behind(name: str, after: int) -> None:
    desk, pieces = Desk(lambda _: STRATEGIES[name]), iter(range(100_000))

    def give_up() -> None:
        if next(pieces) == after:
            desk.searches.cancel(1)
            desk.searches.cancel(1)  # nothing the second time
            orders = [entry[0] for entry in [*desk.policy._queue, *desk.prm._queue]]
            assert 1 not in orders
            assert 1 not in {waiter[0] for waiter in waiters(desk.searches)}

    found = comparable(outcomes(desk.run(give_up)))
    expected = comparable(simulate(STRATEGIES[name], selection=Best()))
    assert found.items() <= expected.items() and set(expected) - set(found) <= {"p1"}
    assert not (desk.searches.open or desk.searches._joins._waiting or desk.searches.opening._sets)
    assert not (desk.policy._queue or desk.policy._active or desk.prm._queue)


def waiters(searches: Searches) -> list[tuple[int, object]]:
    return [entry[0] for lane in (searches._sampling, searches._scoring) for entry in lane._waiting.values()]


class Broken:
    """Fails in the second of three searches side by side, once the others are under way."""

    def search(self, problem: Problem) -> Search:
        return (yield Parallel(tuple(self.part(problem, i) for i in range(3))))

    def part(self, problem: Problem, number: int) -> Search:
        sampled = yield Sample((Trajectory(problem),) * 2, max_steps=1)
        if number == 1:
            raise ZeroDivisionError("of its own")
        return (yield Sample(sampled))


def test_one_that_fails_ends_alone() -> None:
    usual, broken = STRATEGIES["dvts"], Broken()
    desk = Desk(lambda problem: broken if problem.id in ("p0", "p5") else usual)
    ended = list(desk.run())
    failed = {one.order: one.found for one in ended if isinstance(one.found, Exception)}
    assert set(failed) == {0, 5} and all(isinstance(error, ZeroDivisionError) for error in failed.values())
    expected = comparable(simulate(usual, selection=Best()))
    assert comparable(outcomes(iter(ended))) == {name: expected[name] for name in expected if name not in ("p0", "p5")}
    assert not (desk.searches.open or desk.searches._joins._waiting or desk.policy._active)


class Refusing(ScriptedPolicy):
    """Takes no requests of one problem."""

    def add(self, ticket: int, request: object) -> None:
        if request.trajectory.problem.id == "p2":  # type: ignore[attr-defined]
            raise ValueError("not this one")
        super().add(ticket, request)  # type: ignore[arg-type]


def test_one_whose_requests_are_refused_ends_alone() -> None:
    desk = Desk(lambda _: STRATEGIES["beam_search"])
    desk.policy = desk.searches.policy = Refusing(capacity=7, pace=3)
    ended = list(desk.run())
    assert [str(one.found) for one in ended if isinstance(one.found, Exception)] == ["not this one"]
    assert len(outcomes(iter(ended))) == len(PROBLEMS) - 1
