"""How many problems are searched at a time: as many as the engines' caches hold the working sets of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ttcs.core import Trajectory

FULL = 0.75  # of a cache: the formats of PRMs add tokens of their own, and steps end within blocks
GUESS = 8  # part of the policy's longest solution that is counted for each request until a problem has ended


@dataclass(slots=True)
class WorkingSet:
    """Tokens of a search that the engines should hold. requests: in its latest wave.

    kept: of the prefixes that its latest wave goes on from, each once. new: of the steps in its latest wave for the
    PRM, most of which nobody goes on from, but which push others out.
    """

    requests: int = 0
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
    A problem counts as the largest it has been or, if that is more, as those that have ended were on average; until
    one has ended by its requests. longest: solution of the policy, in tokens.
    """

    bound: int | None
    longest: int
    _cache: int | None = field(init=False, default=None)
    _sets: dict[int, dict[object, WorkingSet]] = field(init=False, default_factory=dict)  # by problem, by search
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

    def wave(self, order: int, search: object, trajectories: Sequence[Trajectory], scoring: bool) -> None:
        """A search within a problem has these gone on from, or those with steps that have no score yet scored."""
        if self.bound is not None or self._cache is None:
            return
        steps = {step.node: step for trajectory in trajectories for step in trajectory.steps}
        new = sum(len(step.tokens) for step in steps.values() if scoring and step.score is None)
        found = self._sets[order].setdefault(search, WorkingSet())
        found.requests = len(trajectories)
        found.kept = sum(len(step.tokens) for step in steps.values()) - new
        found.new = new or found.new
        self._most[order] = max(self._most[order], sum(each.tokens for each in self._sets[order].values()))

    def leave(self, order: int, search: object) -> None:
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
        one = self._one
        return one + sum(max(one, most) for most in self._most.values()) <= FULL * self._cache

    @property
    def _one(self) -> float:
        """Tokens that a problem is expected to come to."""
        if self._ended:
            return self._total / self._ended
        requests = max(sum(each.requests for each in sets.values()) for sets in self._sets.values())
        return requests * self.longest / GUESS
