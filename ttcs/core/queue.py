"""What waits for an engine that works when it is stepped."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Generic, Protocol, TypeVar


class Ordered(Protocol):
    """A request that knows the number of its problem."""

    @property
    def order(self) -> int: ...


Asked = TypeVar("Asked", bound=Ordered)


class Queue(Generic[Asked]):
    """Requests by ticket: those of the oldest problem first, and of a problem the oldest request.

    Iterated over: (number of the problem, ticket, request), in no order.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Asked]] = []

    def __len__(self) -> int:
        return len(self._heap)

    def __iter__(self) -> Iterator[tuple[int, int, Asked]]:
        return iter(self._heap)

    def add(self, ticket: int, request: Asked) -> None:
        heappush(self._heap, (request.order, ticket, request))

    def cancel(self, ticket: int) -> None:
        self._heap = [entry for entry in self._heap if entry[1] != ticket]
        heapify(self._heap)

    def pop(self) -> tuple[int, Asked]:
        """(ticket, request) of the first one, which waits no longer."""
        return heappop(self._heap)[1:]

    def take(self, most: int) -> list[tuple[int, Asked]]:
        """The first ones, so many at most, which wait no longer."""
        return [self.pop() for _ in range(min(most, len(self)))]
