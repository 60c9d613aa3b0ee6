"""Answers that are read while the engines work on: a search waits for them as it waits for an engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ttcs.answers.kinds import MATHEMATICS, Answering
from ttcs.core import Trajectory

IDLE = 0.05  # seconds that idle ones are, before what was asked meanwhile is looked at
PATIENCE = 0.002  # seconds that busy engines are kept waiting: nearly all answers are read in a part of that
THREADS = 16  # readings at a time: one process does the symbolic mathematics, but who needs none is not held up by it

Waiter = TypeVar("Waiter")
Groups = tuple[int | None, ...]


def answer(trajectory: Trajectory, answering: Answering = MATHEMATICS) -> str | None:
    """What a solution answers; of multiple choice the letter. None: nothing, or it has not come to its end."""
    return answering.read(trajectory.solution, trajectory.problem.options) if trajectory.finished else None


@dataclass(slots=True)
class Answers:
    """Those of a search's samples, in order, as they are read."""

    answering: Answering = MATHEMATICS
    texts: list[str | None] = field(default_factory=list)

    def read(self, trajectories: Sequence[Trajectory | None], last: int) -> list[Groups]:
        """For each of the last so many the groups of all answers up to its own. None: one that has no answer."""
        self.texts += [
            None if trajectory is None else answer(trajectory, self.answering) for trajectory in trajectories
        ]
        ends = range(len(self.texts) - last + 1, len(self.texts) + 1)
        return [tuple(self.answering.group(self.texts[:end])) for end in ends]


@dataclass(slots=True)
class Readers(Generic[Waiter]):
    """Who waits for answers to be read, in threads, as that may take seconds. `len`: how many wait."""

    _threads: ThreadPoolExecutor | None = field(init=False, default=None)  # started when first needed
    _waiting: dict[Future[list[Any]], Waiter] = field(init=False, default_factory=dict)

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, waiter: Waiter, read: Callable[[], list[Any]]) -> None:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="answers")
        self._waiting[self._threads.submit(read)] = waiter

    def ready(self, idle: bool) -> list[tuple[Waiter, list[Any]]]:
        """Those whose answers have been read, in the order in which they asked; there may be none yet.

        idle: there is nothing else to do.
        """
        if not self._waiting:
            return []
        wait(self._waiting, IDLE if idle else PATIENCE, FIRST_COMPLETED)
        done = [future for future in self._waiting if future.done()]
        return [(self._waiting.pop(future), future.result()) for future in done]

    def drop(self, given_up: Callable[[Waiter], bool]) -> list[Waiter]:
        """Forget what these wait for; who they are."""
        dropped = [future for future, waiter in self._waiting.items() if given_up(waiter)]
        for future in dropped:
            future.cancel()
        return [self._waiting.pop(future) for future in dropped]

    def close(self) -> None:
        """Read nothing more."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
