from __future__ import annotations

from dataclasses import dataclass, replace

from ttcs.core import Parallel, Problem, Reduction, Score, Search, Strategy
from ttcs.strategies.checks import at_least
from ttcs.strategies.revisions import revise


@dataclass(frozen=True, slots=True)
class SearchAndRevise:
    """A search, whose best candidates are revised with what it leaves of n: both ways to spend test-time compute that
    Snell et al. (2024, section 8) leave to be combined.

    n: candidates in all. first: the search, searched: its n. top: how many of its best begin a chain, of
    (n - searched) / top revisions each. window: as in `Revisions`. rank: step scores -> what the best are the best in.
    """

    n: int
    first: Strategy
    searched: int
    top: int
    window: int
    rank: Reduction

    def __post_init__(self) -> None:
        at_least(1, searched=self.searched, top=self.top, window=self.window)
        at_least(self.searched + self.top, n=self.n)

    def search(self, problem: Problem) -> Search:
        found = yield from self.first.search(problem)
        scored = yield Score(tuple(candidate for candidate in found if candidate.finished))
        best = sorted(scored, key=lambda candidate: -self.rank(candidate.scores))[: self.top]
        attempts = (self.n - self.searched) // self.top
        revised = yield Parallel(tuple(revise(problem, i, (one,), attempts, self.window) for i, one in enumerate(best)))
        # Together they are one whole: no subtree of theirs is a smaller run of this strategy.
        return tuple(replace(candidate, subtree=None) for candidate in (*found, *revised))
