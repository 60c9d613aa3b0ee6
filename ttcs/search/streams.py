"""Samples that are read one after another while later ones run ahead."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Given = TypeVar("Given")


@dataclass(slots=True)
class Stream(Generic[Asked, Given]):
    """Requests of a search of which it reads the results in order.

    requests: those begun. results: by place, of those that have ended. read: how many the search has been handed.
    wanted: whether it waits for the next one.
    """

    requests: list[Asked] = field(default_factory=list)
    results: dict[int, Given] = field(default_factory=dict)
    read: int = 0
    wanted: bool = False

    def ready(self) -> list[Given]:
        """The results that come next, where the search waits for them."""
        found: list[Given] = []
        while self.wanted and self.read in self.results:
            found.append(self.results[self.read])
            self.read += 1
        self.wanted = self.wanted and not found
        return found

    def beyond(self, kept: int) -> list[tuple[Asked, Given]]:
        """What has come of the requests behind the first `kept`."""
        return [(self.requests[place], self.results[place]) for place in sorted(self.results) if place >= kept]
