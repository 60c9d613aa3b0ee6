"""The clock of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Clock:
    """Seconds a run has taken so far, earlier sessions included, the loading of models left out."""

    def __init__(self, seconds: float) -> None:
        self._zero = perf_counter() - seconds

    def seconds(self) -> float:
        return perf_counter() - self._zero

    @contextmanager
    def stopped(self) -> Iterator[None]:
        started = perf_counter()
        yield
        self._zero += perf_counter() - started
