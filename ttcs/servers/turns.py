"""Work that waits for its turn: at most so much at once, and that of the oldest problem first."""

from __future__ import annotations

from asyncio import Future, get_running_loop
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from heapq import heappop, heappush


class Turns:
    """limit: how many have their turn at once. All that has to do with it happens in one event loop."""

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._waiting: list[tuple[int, int, Future[None]]] = []  # a heap

    @asynccontextmanager
    async def turn(self, order: int, ticket: int) -> AsyncIterator[None]:
        """Wait until one is free and nobody waits with a smaller order, or with the same and a smaller ticket."""
        future = get_running_loop().create_future()
        heappush(self._waiting, (order, ticket, future))
        self._next()
        try:
            await future
        except BaseException:
            if future.done() and not future.cancelled():  # its turn came while it was given up
                self._leave()
            raise
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        self._free += 1
        self._next()

    def _next(self) -> None:
        while self._free and self._waiting:
            future = heappop(self._waiting)[-1]
            if not future.done():
                self._free -= 1
                future.set_result(None)
