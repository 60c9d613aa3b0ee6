"""Who gets the next problem."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from enum import Enum

from ttcs.core import Problem


class Word(Enum):
    """What the two ends of a link say to each other besides problems and records."""

    MORE = "a worker asks for a problem"
    LATER = "not before it has finished one"
    OVER = "none is left"
    DONE = "a worker has finished all it was dealt"


class Deal:
    """Deals problems one by one, so that a slow one holds up nobody, and no worker more than its share.

    A share is an equal part of what is unfinished. Without that limit the worker whose models load first would take a
    small set whole, and at the end of a run some would wait while others still hold several.
    """

    def __init__(self, problems: Iterable[Problem], workers: int) -> None:
        self._waiting = deque(problems)
        self._held = [0] * workers

    def next(self, worker: int) -> Problem | Word:
        """The next problem for a worker; LATER only ever to one that holds some."""
        if not self._waiting:
            return Word.OVER
        unfinished = len(self._waiting) + sum(self._held)
        if self._held[worker] * len(self._held) >= unfinished:
            return Word.LATER
        self._held[worker] += 1
        return self._waiting.popleft()

    def finished(self, worker: int) -> None:
        """A worker has handed in a problem."""
        self._held[worker] -= 1
