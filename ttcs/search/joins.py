"""Searches that wait for those that they run side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ttcs.search.lane import Waiting
from ttcs.search.waves import Reply, Running


@dataclass(slots=True)
class Joins:
    """Gives the candidates of searches side by side back together, in their order. `in`: whether another one waits."""

    _waiting: dict[Running[Any], tuple[Waiting[Running[Any], Reply], int]] = field(init=False, default_factory=dict)

    def __contains__(self, branch: Running[Any]) -> bool:
        return branch in self._waiting

    def add(self, waiter: Running[Any], branches: Sequence[Running[Any]]) -> None:
        waiting = Waiting[Running[Any], Reply](waiter, len(branches))
        for place, branch in enumerate(branches):
            self._waiting[branch] = waiting, place

    def end(self, branch: Running[Any], candidates: Reply) -> tuple[Running[Any], list[Reply]] | None:
        """Who waited for this one and what all have come to, if it was the last."""
        waiting, place = self._waiting.pop(branch)
        waiting.results[place] = candidates
        if len(waiting.results) < waiting.size:
            return None
        return waiting.waiter, [waiting.results[i] for i in range(waiting.size)]

    def forget(self, root: Running[Any]) -> None:
        """Give up the searches that this one runs side by side, and those within them."""
        for branch in [branch for branch, (waiting, _) in self._waiting.items() if waiting.waiter is root]:
            del self._waiting[branch]
            self.forget(branch)
