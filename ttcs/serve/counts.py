"""What the service counts of its requests, from its start on."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from math import inf
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ttcs.search.ledger import Ledger

BOUNDS = 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, inf  # seconds


@dataclass(slots=True)
class Counts:
    """statuses: requests for a search that have ended, by the status they were answered with; of a stream, begun with.

    within: of those how many took at most so long as the bound of the same place, and longer than the one before it.
    seconds: all that they took. ledger: tokens of the searches that have come to their end.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    within: list[int] = field(default_factory=lambda: [0] * len(BOUNDS))
    seconds: float = 0.0
    ledger: Ledger = field(default_factory=Ledger)

    def answered(self, status: int, seconds: float) -> None:
        self.statuses[status] += 1
        self.within[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def searched(self, cost: Ledger) -> None:
        for name in ("prompt_tokens", "cached_tokens", "decoded_tokens", "prm_tokens", "prm_cached_tokens"):
            setattr(self.ledger, name, getattr(self.ledger, name) + getattr(cost, name))


class Counted:
    """An application of which the requests to one path are counted. left: the status of a client that went away."""

    def __init__(self, app: ASGIApp, counts: Counts, path: str, left: int) -> None:
        self._app, self._counts, self._path, self._left = app, counts, path, left

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != self._path:
            return await self._app(scope, receive, send)
        started, status = perf_counter(), self._left

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._counts.answered(status, perf_counter() - started)
