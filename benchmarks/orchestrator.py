"""G10: what the scheduler itself costs, in CPU time per engine request, with engines that do nothing.

Strategies are those of the configuration, so what stands between yaml and search is counted too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks import zoo
from benchmarks.harness import Effort, Limit, Result, Spread
from ttcs.choice.selection import Best
from ttcs.core import Continue, Continued, Judge, Judged, ModelSize, Problem, Step, Stop, Strategy
from ttcs.search.budget import Budget
from ttcs.search.scheduler import run

SIZE = ModelSize("stub", parameters=1, layers=1, hidden=1)
DEPTH = 10  # steps of a solution
SIZES = (16, 32, 64, 128, 256)
COST = Limit(0.3)  # ms
FLAT = Limit(1.25)
STEP, END = (Step(-1, (1,) * 20, "x", stop) for stop in (Stop.STEP, Stop.END))


@dataclass(slots=True)
class StubPolicy:
    """Returns the same step for every request."""

    size: ModelSize = SIZE
    capacity: int = 256
    cache_tokens: int | None = None
    max_tokens: int = 2048
    _queue: list[tuple[int, Continued]] = field(init=False, default_factory=list)

    def add(self, ticket: int, request: Continue) -> None:
        depth = len(request.trajectory.steps)
        left = DEPTH - depth if request.max_steps is None else min(request.max_steps, DEPTH - depth)
        steps = (STEP,) * (left - 1) + (END if depth + left == DEPTH else STEP,)
        self._queue.append((ticket, Continued(steps, 20 * depth, 20 * depth)))

    def step(self) -> list[tuple[int, Continued]]:
        done, self._queue = self._queue, []
        return done

    def cancel(self, ticket: int) -> Continued | None:
        self._queue = [entry for entry in self._queue if entry[0] != ticket]
        return None

    def reset(self) -> None:
        """There is nothing to forget."""


@dataclass(slots=True)
class StubPRM:
    """Returns the same score for every step."""

    size: ModelSize = SIZE
    capacity: int = 256
    cache_tokens: int | None = None
    _queue: list[tuple[int, Judged]] = field(init=False, default_factory=list)

    def add(self, ticket: int, request: Judge) -> None:
        depth = len(request.trajectory.steps)
        self._queue.append((ticket, Judged((0.5,) * depth, 20 * depth, 20 * depth)))

    def step(self) -> list[tuple[int, Judged]]:
        done, self._queue = self._queue, []
        return done

    def reset(self) -> None:
        """There is nothing to forget."""


def milliseconds(strategy: Strategy, budget: Budget, n: int) -> float:
    """CPU time per request."""
    problems = [Problem(str(i), "?") for i in range(max(2, 512 // n))]
    started = time.process_time()
    requests = 0
    for outcome in run(strategy, Best(), problems, StubPolicy(), StubPRM, budget, seed=0):
        requests += outcome.ledger.policy_calls + outcome.ledger.prm_calls
    return (time.process_time() - started) * 1000 / requests


def measure(effort: Effort) -> Iterator[Result]:
    free, tight = Budget(), Budget(tokens=10**6)
    rows = [(name, free) for name in ("best_of_n", "beam_search", "lookahead", "dvts")] + [("beam_search", tight)]
    for name, budget in rows:
        strategies = {n: zoo.strategy(name, n) for n in SIZES}
        turns = [
            {n: milliseconds(strategy, budget, n) for n, strategy in strategies.items()} for _ in range(effort.runs + 1)
        ][1:]
        costs = {n: Spread.of([turn[n] for turn in turns]) for n in SIZES}
        what = name + (", with a budget" if budget is tight else "")
        worst = max(costs.values(), key=lambda cost: cost.median)
        listed = ", ".join(f"{n}: {cost.median:.3f}" for n, cost in costs.items())
        yield Result("G10", f"{what}: CPU time per request, the most over n", worst, COST, unit=" ms", note=listed)
        growth = Spread.of([turn[SIZES[-1]] / turn[SIZES[0]] for turn in turns])
        yield Result("G10", f"{what}: cost at n = {SIZES[-1]} / n = {SIZES[0]}", growth, FLAT)
