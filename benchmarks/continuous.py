"""G6: searches that go on as soon as their own results are there, against searches that wait for all others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from benchmarks import lockstep, zoo
from benchmarks.cases import Case, long, short
from benchmarks.harness import Effort, Limit, Result, Spread, compare, interleaved, side
from ttcs.core import Policy, Strategy
from ttcs.search.execution import Outcome

GOALS = {8: Limit(0.9), 64: Limit(0.7)}  # by problems
N = 16


class Counted:
    """A policy that counts its passes."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.size, self.capacity, self.max_tokens = engine.size, engine.capacity, engine.max_tokens
        self.cache_tokens = engine.cache_tokens
        self.add, self.reset = engine.add, engine.reset
        self.passes = 0

    def step(self) -> Any:
        self.passes += 1
        return self._engine.step()


def waiting(strategy: Strategy, case: Case, policy: Policy) -> list[Outcome]:
    policy.reset()
    case.prm.reset()
    group = len(case.problems)
    return lockstep.run(strategy, zoo.selection(), case.problems, policy, case.prm, seed=0, group=group)


def continuing(strategy: Strategy, case: Case, policy: Policy) -> list[Outcome]:
    return zoo.search(strategy, case.problems, policy, case.prm)


def passes(search: Callable[[Policy], list[Outcome]], policy: Policy) -> int:
    counted = Counted(policy)
    search(counted)
    return counted.passes


def measure(effort: Effort) -> Iterator[Result]:
    for count in list(GOALS)[: 1 if effort.quick else None]:
        for case in (short(count, N), long(count, N)):
            yield from compared(case, GOALS[count], effort.runs)


def compared(case: Case, goal: Limit, runs: int) -> Iterator[Result]:
    strategy = zoo.strategy("dvts", N)
    searches = {"continuous": partial(continuing, strategy, case), "lock-step": partial(waiting, strategy, case)}
    timed = interleaved({name: partial(search, case.policy) for name, search in searches.items()}, runs)
    counts = {name: passes(search, case.policy) for name, search in searches.items()}
    sides = {
        name: side(timed[name], zoo.counters(timed[name][0].value) | {"policy passes": counts[name]})
        for name in searches
    }
    wall, cpu = compare(timed["continuous"], timed["lock-step"])
    yield Result("G6", f"dvts, {case}: continuous / lock-step", wall, goal, cpu, sides)
    ratio = Spread.exact(counts["continuous"] / counts["lock-step"])
    yield Result(
        "G6", "of that, passes of the policy (the time, where a pass costs the same for any rows)", ratio, None
    )
