"""G6: searches that go on as soon as their own results are there, against searches that wait for all others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from benchmarks import lockstep, zoo
from benchmarks.harness import Effort, Limit, Result, Side, Spread, compare, interleaved, side
from ttcs.core import Policy, Problem, Strategy
from ttcs.execution import Outcome

GOALS = {8: Limit(0.9), 64: Limit(0.7)}  # by problems
N = 16


class Counted:
    """A policy that counts its passes."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.size, self.capacity, self.max_tokens = engine.size, engine.capacity, engine.max_tokens
        self.add, self.reset = engine.add, engine.reset
        self.passes = 0

    def step(self) -> Any:
        self.passes += 1
        return self._engine.step()


def waiting(strategy: Strategy, tasks: Sequence[Problem], policy: Policy) -> list[Outcome]:
    policy.reset()
    zoo.prm().reset()
    return lockstep.run(strategy, zoo.selection(), tasks, policy, zoo.prm(), seed=0, group=len(tasks))


def continuing(strategy: Strategy, tasks: Sequence[Problem], policy: Policy) -> list[Outcome]:
    return zoo.search(strategy, tasks, policy, zoo.prm())


def passes(search: Callable[[Policy], list[Outcome]]) -> int:
    counted = Counted(zoo.policy())
    search(counted)
    return counted.passes


def measure(effort: Effort) -> Iterator[Result]:
    strategy = zoo.strategy("dvts", N)
    for count, goal in GOALS.items():
        if effort.quick and count > 8:
            continue
        tasks = zoo.problems(count)
        searches = {"continuous": partial(continuing, strategy, tasks), "lock-step": partial(waiting, strategy, tasks)}
        runs = interleaved({name: partial(search, zoo.policy()) for name, search in searches.items()}, effort.runs)
        counts = {name: {"policy passes": passes(search)} for name, search in searches.items()}
        sides = {name: side(runs[name], zoo.counters(runs[name][0].value) | counts[name]) for name in searches}
        wall, cpu = compare(runs["continuous"], runs["lock-step"])
        what = f"dvts, n = {N}, {count} problems: continuous / lock-step"
        yield Result("G6", what, wall, goal, cpu, sides)
        ratio = Spread.exact(counts["continuous"]["policy passes"] / counts["lock-step"]["policy passes"])
        note = "the ratio of times where a pass costs the same however many rows it has, as on an accelerator with room"
        yield Result(
            "G6",
            "of that, passes of the policy",
            ratio,
            None,
            sides={w: Side(counters=c) for w, c in counts.items()},
            note=note,
        )
