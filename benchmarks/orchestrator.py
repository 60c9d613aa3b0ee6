"""What the scheduler itself costs: CPU time per engine request, with engines that do nothing.

    python -m benchmarks.orchestrator

The goal is at most 0.3 ms per request, the same for every n.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ttcs import reduction
from ttcs.core import Continue, Continued, Judge, Judged, ModelSize, Problem, Step, Stop, Strategy
from ttcs.ledger import Budget
from ttcs.scheduler import run
from ttcs.selection import Best
from ttcs.strategies.beam_search import BeamSearch
from ttcs.strategies.best_of_n import BestOfN
from ttcs.strategies.dvts import DVTS
from ttcs.strategies.lookahead import Lookahead

SIZE = ModelSize("stub", parameters=1, layers=1, hidden=1)
DEPTH = 10  # steps of a solution
GOAL = 0.3  # ms
STEP, END = (Step(-1, (1,) * 20, "x", stop) for stop in (Stop.STEP, Stop.END))


@dataclass(slots=True)
class StubPolicy:
    """Returns the same step for every request."""

    size: ModelSize = SIZE
    capacity: int = 256
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


@dataclass(slots=True)
class StubPRM:
    """Returns the same score for every step."""

    size: ModelSize = SIZE
    capacity: int = 256
    _queue: list[tuple[int, Judged]] = field(init=False, default_factory=list)

    def add(self, ticket: int, request: Judge) -> None:
        depth = len(request.trajectory.steps)
        self._queue.append((ticket, Judged((0.5,) * depth, 20 * depth, 20 * depth)))

    def step(self) -> list[tuple[int, Judged]]:
        done, self._queue = self._queue, []
        return done


def milliseconds_per_request(strategy: Strategy, budget: Budget, n: int) -> float:
    problems = [Problem(str(i), "?") for i in range(max(2, 512 // n))]
    started = time.process_time()
    requests = 0
    for outcome in run(strategy, Best(), problems, StubPolicy(), StubPRM, budget, seed=0):
        requests += outcome.ledger.policy_calls + outcome.ledger.prm_calls
    return (time.process_time() - started) * 1000 / requests


def main() -> None:
    free, tight = Budget(), Budget(tokens=10**6)
    rows: dict[str, Callable[[int], tuple[Strategy, Budget]]] = {
        "best-of-n": lambda n: (BestOfN(n), free),
        "beam search": lambda n: (BeamSearch(n, 4, 40, reduction.last), free),
        "lookahead, k = 2": lambda n: (Lookahead(n, 4, 40, reduction.last, 2), free),
        "DVTS": lambda n: (DVTS(n, 4, 40, reduction.last), free),
        "beam search, budget": lambda n: (BeamSearch(n, 4, 40, reduction.last), tight),
    }
    sizes = (16, 32, 64, 128, 256)
    print(f"CPU ms per request, solutions of {DEPTH} steps; the goal is {GOAL}")
    print(f"{'n':22}" + "".join(f"{n:>8}" for n in sizes))
    for name, build in rows.items():
        costs = [milliseconds_per_request(*build(n), n) for n in sizes]
        print(f"{name:22}" + "".join(f"{cost:8.4f}" for cost in costs))


if __name__ == "__main__":
    main()
