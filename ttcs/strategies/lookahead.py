from __future__ import annotations

from dataclasses import dataclass

from ttcs.core import Problem, Reduction, Sample, Score, Search
from ttcs.strategies.beam_search import Children, Valued, beam_search
from ttcs.strategies.checks import at_least, multiple


@dataclass(frozen=True, slots=True)
class Lookahead:
    """Beam search that ranks a step by the end of a greedy rollout from it (Snell et al., 2024, section 5.2).

    n, width, max_steps, rank: as in `BeamSearch`; rank reads the scores of the step's trajectory and of its rollout.
    k: steps of a rollout at most; k = 0 is beam search. The rollout is thrown away, its scores of the trajectory's own
    steps are kept.
    """

    n: int
    width: int
    max_steps: int
    rank: Reduction
    k: int

    def __post_init__(self) -> None:
        multiple(self.n, width=self.width)
        at_least(1, max_steps=self.max_steps)
        at_least(0, k=self.k)

    def search(self, problem: Problem) -> Search:
        return (yield from beam_search(problem, self.n, self.width, self.max_steps, self.value))

    def value(self, children: Children) -> Valued:
        ends = list(children)
        live = [i for i, child in enumerate(children) if child.live and self.k]
        if live:
            starts = tuple(children[i] for i in live)
            rollouts = yield Sample(starts, max_steps=self.k, temperature=0.0, lookahead=True)
            for i, rollout in zip(live, rollouts, strict=True):
                ends[i] = rollout
        scored = yield Score(tuple(ends))
        own = [end.prefix(len(child.steps)) for child, end in zip(children, scored, strict=True)]
        return [(self.rank(end.scores), child) for end, child in zip(scored, own, strict=True)]
