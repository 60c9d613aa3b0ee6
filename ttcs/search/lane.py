"""One engine and the searches that wait for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from ttcs.search.streams import Stream

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

    def ready(self) -> list[Given]:
        """All of them, once the last has come."""
        return [self.results[i] for i in range(self.size)] if len(self.results) == self.size else []


@dataclass(slots=True)
class Lane(Generic[Waiter, Asked, Given]):
    """Hands waves of requests to an engine and gives each wave's results back together, in its order; those of a stream
    as they come, in its order.

    engine: loads it on the first call; called only when there is a request. `len`: requests outstanding, those that it
    is not given yet included. seen: is told of each result as it comes.
    """

    engine: Callable[[], Engine[Asked, Given]]
    seen: Callable[[Waiter, Asked, Given], None] | None = None
    holding: bool = field(init=False, default=False)
    _held: dict[int, Asked] = field(init=False, default_factory=dict)  # by ticket
    # By ticket: who waits, for what, the place in it, and what was asked.
    _waiting: dict[int, tuple[Waiter, Waiting[Waiter, Given] | Stream[Asked, Given], int, Asked]] = field(
        init=False, default_factory=dict
    )
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
            held, self._held = self._held, {}
            for ticket, request in held.items():
                self.engine().add(ticket, request)

    def add(self, waiter: Waiter, wave: Sequence[Asked]) -> None:
        waiting = Waiting[Waiter, Given](waiter, len(wave))
        for place, request in enumerate(wave):
            self._begin(waiter, waiting, place, request)

    def draw(self, waiter: Waiter, stream: Stream[Asked, Given], requests: Sequence[Asked]) -> list[Given]:
        """Begin more of a stream; its next results, which `step` will give if they have not come yet."""
        for request in requests:
            self._begin(waiter, stream, len(stream.requests), request)
            stream.requests.append(request)
        stream.wanted = True
        return stream.ready()

    def step(self) -> list[tuple[Waiter, list[Given]]]:
        """Let the engine do some work; what this completed."""
        told: dict[int, tuple[Waiter, Waiting[Waiter, Given] | Stream[Asked, Given]]] = {}
        for ticket, result in self.engine().step():
            waiter, waiting, place, request = self._waiting.pop(ticket)
            waiting.results[place] = result
            if self.seen is not None:
                self.seen(waiter, request, result)
            told[id(waiting)] = waiter, waiting
        return [(waiter, results) for waiter, waiting in told.values() if (results := waiting.ready())]

    def withdraw(self, stream: Stream[Asked, Given], cancel: Callable[[int], Given | None]) -> None:
        """End a stream: what of it is still running is cancelled, and what that has come to is its result."""
        for ticket, place in [(ticket, place) for ticket, (_, of, place, _) in self._waiting.items() if of is stream]:
            del self._waiting[ticket]
            if self._held.pop(ticket, None) is None and (result := cancel(ticket)) is not None:
                stream.results[place] = result

    def drop(self, given_up: Callable[[Waiter], bool], cancel: Callable[[int], object]) -> None:
        """Forget the requests that these wait for, and cancel those that the engine has been given."""
        for ticket in [ticket for ticket, (waiter, *_) in self._waiting.items() if given_up(waiter)]:
            del self._waiting[ticket]
            if self._held.pop(ticket, None) is None:
                cancel(ticket)

    def end(
        self, given_up: Callable[[Waiter], bool], cancel: Callable[[int], Given | None]
    ) -> list[tuple[Waiter, dict[int, Given]]]:
        """As `drop`, and what has come for each, by place; of what is cancelled what it has come to."""
        ended: dict[int, tuple[Waiter, dict[int, Given]]] = {}
        for ticket in [ticket for ticket, (waiter, *_) in self._waiting.items() if given_up(waiter)]:
            waiter, waiting, place, _ = self._waiting.pop(ticket)
            ended[id(waiting)] = waiter, waiting.results
            if self._held.pop(ticket, None) is None and (result := cancel(ticket)) is not None:
                waiting.results[place] = result
        return list(ended.values())

    def _begin(
        self, waiter: Waiter, waiting: Waiting[Waiter, Given] | Stream[Asked, Given], place: int, request: Asked
    ) -> None:
        if self.holding:
            self._held[self._tickets] = request
        else:
            self.engine().add(self._tickets, request)  # which may refuse it
        self._waiting[self._tickets] = waiter, waiting, place, request
        self._tickets += 1
