"""How many problems are searched at a time: as many as the engines' caches hold the working sets of."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from ttcs.core import Trajectory

GROWTH = 2  # what the largest problem so far may still grow by, until one has ended and shows it


@dataclass(slots=True)
class WorkingSet:
    """Tokens of a search that the engines should hold.

    kept: of the prefixes that its latest wave goes on from, each once. new: of the steps in its latest wave for the PRM,
    most of which nobody goes on from, but which push others out.
    """

    kept: int = 0
    new: int = 0

    @property
    def tokens(self) -> int:
        """None as long as nothing is read a second time, so that nothing is lost where the cache is too small."""
        return self.kept + self.new if self.kept else 0


@dataclass(slots=True)
class Opening:
    """Whether there is room for another problem beside those that are open.

    bound: problems open at a time at most; None: what the caches hold decides, as far as the engines say what they do.
    A problem counts as the largest it has been or, if that is more, as those that have ended were on average.
    """

    bound: int | None = None
    _cache: int | None = field(init=False, default=None)
    _sets: dict[int, dict[Hashable, WorkingSet]] = field(init=False, default_factory=dict)  # by problem, by search
    _most: dict[int, int] = field(init=False, default_factory=dict)  # the largest so far, by problem
    _ended: int = field(init=False, default=0)
    _total: int = field(init=False, default=0)  # of the largest of those that have ended

    def holds(self, tokens: int | None) -> None:
        """An engine's cache holds so many; the smallest counts."""
        known = [cache for cache in (self._cache, tokens) if cache is not None]
        self._cache = min(known, default=None)

    def begin(self, order: int) -> None:
        self._sets[order], self._most[order] = {}, 0

    def end(self, order: int) -> None:
        del self._sets[order]
        self._total += self._most.pop(order)
        self._ended += 1

    def wave(self, order: int, search: Hashable, trajectories: Iterable[Trajectory], scoring: bool) -> None:
        """A search within a problem has these gone on from, or those with steps that have no score yet scored."""
        if self.bound is not None or self._cache is None:
            return
        steps = {step.node: step for trajectory in trajectories for step in trajectory.steps}
        new = sum(len(step.tokens) for step in steps.values() if scoring and step.score is None)
        found = self._sets[order].setdefault(search, WorkingSet())
        found.kept = sum(len(step.tokens) for step in steps.values()) - new
        found.new = new or found.new
        self._most[order] = max(self._most[order], sum(each.tokens for each in self._sets[order].values()))

    def leave(self, order: int, search: Hashable) -> None:
        """A search within a problem asks for nothing for now, or never again."""
        self._sets[order].pop(search, None)

    @property
    def room(self) -> bool:
        if not self._sets:
            return True
        if self.bound is not None:
            return len(self._sets) < self.bound
        if self._cache is None:
            return True
        one = self._total / self._ended if self._ended else GROWTH * max(self._most.values())
        return one + sum(max(one, most) for most in self._most.values()) <= self._cache
