"""GPUs in virtual time: two engines in processes of their own, at work on one GPU or on one each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

NEVER = float("inf")
INSTANT = 1e-12  # seconds of work that are none: what rounding leaves over


class Worker(Protocol):
    """An engine as its GPU sees it."""

    def begin(self) -> float | None:
        """Begin the next pass: its seconds on a GPU of its own. None: there is nothing to do."""
        ...

    def end(self) -> None:
        """The pass is over."""
        ...

    @property
    def news(self) -> bool:
        """Whether someone who asks would be told something."""
        ...


@dataclass(slots=True)
class Device:
    """Where engines work, whoever waits for whom; time passes only while somebody waits (`wait`).

    share: of a GPU's speed that each of two engines has while both work: 0.5 on one GPU that is shared out in slices of
    time, 1 with a GPU each. now: seconds since the beginning.
    """

    share: float = 0.5
    now: float = field(init=False, default=0.0)
    busy: dict[str, float] = field(init=False, default_factory=dict)  # seconds with a pass under way, by engine
    _workers: dict[str, Worker] = field(init=False, default_factory=dict)
    _left: dict[str, float] = field(init=False, default_factory=dict)  # of passes under way, seconds at full speed

    def join(self, name: str, worker: Worker) -> None:
        self._workers[name] = worker
        self.busy[name] = 0.0

    def wait(self, name: str, patience: float) -> None:
        """Let time pass until the engine has something to tell, `patience` seconds at most."""
        deadline = self.now + patience
        while not self._workers[name].news and self.now < deadline:
            self._pass(deadline)

    def _pass(self, deadline: float) -> None:
        """Until the next pass of an engine is over, or the deadline."""
        for name, worker in self._workers.items():
            if name not in self._left and (seconds := worker.begin()) is not None:
                self._left[name] = seconds
        speed = 1.0 if len(self._left) < 2 else self.share
        passed = min(deadline - self.now, min(self._left.values(), default=NEVER) / speed)
        self.now += passed
        for name in list(self._left):
            self.busy[name] += passed
            self._left[name] -= passed * speed
            if self._left[name] <= INSTANT:
                del self._left[name]
                self._workers[name].end()
