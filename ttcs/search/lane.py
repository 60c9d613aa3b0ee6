"""One engine and the searches that wait for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

Asked = TypeVar("Asked")
Given = TypeVar("Given")
Waiter = TypeVar("Waiter")
Asked_contra = TypeVar("Asked_contra", contravariant=True)


class Engine(Protocol[Asked_contra, Given]):
    """What a policy and a PRM have in common."""

    def add(self, ticket: int, request: Asked_contra) -> None: ...

    def step(self) -> list[tuple[int, Given]]: ...


@dataclass(slots=True)
class Waiting(Generic[Waiter, Given]):
    """Someone who waits for the results of one wave: those that have come, by place in the wave."""

    waiter: Waiter
    size: int
    results: dict[int, Given] = field(default_factory=dict)


@dataclass(slots=True)
class Lane(Generic[Waiter, Asked, Given]):
    """Hands waves of requests to an engine and gives each wave's results back together, in its order.

    engine: loads it on the first call; called only when there is a request. `len`: requests outstanding, those that it
    is not given yet included.
    """

    engine: Callable[[], Engine[Asked, Given]]
    holding: bool = field(init=False, default=False)
    _held: list[tuple[int, Asked]] = field(init=False, default_factory=list)
    _waiting: dict[int, tuple[Waiting[Waiter, Given], int]] = field(init=False, default_factory=dict)  # by ticket
    _tickets: int = field(init=False, default=0)

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def at_work(self) -> bool:
        """Whether the engine has a request."""
        return len(self._waiting) > len(self._held)

    def hold(self, holding: bool) -> None:
        """Give the engine nothing more; or from now on all there is, and what was held back."""
        self.holding = holding
        if not holding:
            held, self._held = self._held, []
            for ticket, request in held:
                self.engine().add(ticket, request)

    def add(self, waiter: Waiter, wave: Sequence[Asked]) -> None:
        waiting = Waiting[Waiter, Given](waiter, len(wave))
        for place, request in enumerate(wave):
            self._waiting[self._tickets] = waiting, place
            if self.holding:
                self._held.append((self._tickets, request))
            else:
                self.engine().add(self._tickets, request)
            self._tickets += 1

    def step(self) -> list[tuple[Waiter, list[Given]]]:
        """Let the engine do some work; the waves that this completed."""
        complete = []
        for ticket, result in self.engine().step():
            waiting, place = self._waiting.pop(ticket)
            waiting.results[place] = result
            if len(waiting.results) == waiting.size:
                complete.append((waiting.waiter, [waiting.results[i] for i in range(waiting.size)]))
        return complete
