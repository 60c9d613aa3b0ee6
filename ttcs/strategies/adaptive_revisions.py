from __future__ import annotations

from dataclasses import dataclass

from ttcs.core import Parallel, Problem, Reduction, Score, Search, Stopping
from ttcs.strategies.revisions import Revisions, revise
from ttcs.strategies.votes import settled


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptiveRevisions(Revisions):
    """Chains of revisions, one after another until the vote of all attempts is settled. Our own.

    n: attempts at most, in chains of n / chains. stopping: says when the attempts of the chains so far are enough.
    reduction: how the step scores of an attempt become the one that it sees, if it reads scores at all. All others: see
    `Revisions`, with the chains of which these begin.
    """

    stopping: Stopping
    reduction: Reduction

    def search(self, problem: Problem) -> Search:
        chains = (self.chain(problem, i) for i in range(self.chains))
        return (yield Parallel(tuple(chains), enough=settled(self.stopping, self.reduction, self.n)))

    def chain(self, problem: Problem, subtree: int) -> Search:
        attempts = yield from revise(problem, subtree, (), self.n // self.chains, self.window, self.sure)
        return (yield Score(attempts)) if self.stopping.reads_scores else attempts
