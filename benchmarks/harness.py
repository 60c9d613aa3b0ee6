"""Ways of doing the same thing, timed side by side in one process, and what a measurement comes to."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
Counters = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured. runs: of each way; problems: in a timed run; n: candidates of a problem."""

    runs: int = 5
    problems: int = 8
    n: int = 64
    quick: bool = False


QUICK = Effort(runs=3, problems=2, n=16, quick=True)


@dataclass(frozen=True, slots=True)
class Timed(Generic[T]):
    """wall: seconds; cpu: seconds of processor time of this process, all its threads; value: what came of it."""

    wall: float
    cpu: float
    value: T


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some numbers, and the smallest and the largest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Spread:
        return cls(statistics.median(numbers), min(numbers), max(numbers))

    @classmethod
    def exact(cls, number: float) -> Spread:
        return cls(number, number, number)


@dataclass(frozen=True, slots=True)
class Limit:
    """A goal: at most, or at least, some number."""

    value: float
    least: bool = False

    def met(self, number: float) -> bool:
        return number >= self.value if self.least else number <= self.value


@dataclass(frozen=True, slots=True)
class Side:
    """One of the ways compared: its median times in seconds, and the exact counters of a run (the same in all runs)."""

    wall: float | None = None
    cpu: float | None = None
    counters: Counters = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table.

    measured: of wall times per pair of runs, or of exact counters. cpu: the same ratio of processor times, which other
    work on the machine disturbs less. limit: None where the line explains another and has no goal of its own.
    """

    goal: str
    what: str
    measured: Spread
    limit: Limit | None
    cpu: Spread | None = None
    sides: Mapping[str, Side] = field(default_factory=dict)
    unit: str = ""
    note: str = ""

    @property
    def met(self) -> bool | None:
        return None if self.limit is None else self.limit.met(self.measured.median)


def timed(work: Callable[[], T]) -> Timed[T]:
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    value = work()
    return Timed(time.perf_counter() - wall, time.process_time() - cpu, value)


def interleaved(ways: Mapping[str, Callable[[], T]], runs: int) -> dict[str, list[Timed[T]]]:
    """A B C A B C ..., after one run of each that is not counted."""
    for work in ways.values():
        work()
    found: dict[str, list[Timed[T]]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, work in ways.items():
            found[name].append(timed(work))
    return found


def compare(above: Sequence[Timed[T]], below: Sequence[Timed[T]]) -> tuple[Spread, Spread]:
    """Ratios of wall times and of processor times, pair by pair."""
    pairs = list(zip(above, below, strict=True))
    return Spread.of([a.wall / b.wall for a, b in pairs]), Spread.of([a.cpu / b.cpu for a, b in pairs])


def side(runs: Sequence[Timed[T]], counters: Counters) -> Side:
    return Side(statistics.median(run.wall for run in runs), statistics.median(run.cpu for run in runs), counters)
