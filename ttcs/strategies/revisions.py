from __future__ import annotations

from dataclasses import dataclass

from ttcs.core import Parallel, Problem, Sample, Score, Search, Trajectory, Turn
from ttcs.strategies.checks import at_least, multiple

Chain = tuple[Trajectory, ...]


@dataclass(frozen=True, slots=True)
class Revisions:
    """Chains in which every attempt is a revision of those before it, side by side (Snell et al., 2024, section 6).

    n: attempts in all. chains: how many side by side (the paper's parallel samples), each of n / chains attempts (its
    sequential ones). window: latest attempts that a revision is shown (4 in the paper). sure: a chain ends with an
    attempt that the verifier scores so high; None: never.

    An attempt that was cut off is a candidate without an answer, and later ones are not shown it. A chain is a subtree,
    so whole chains, and the beginnings of chains, are valid smaller runs.
    """

    n: int
    chains: int
    window: int
    sure: float | None = None

    def __post_init__(self) -> None:
        multiple(self.n, chains=self.chains)
        at_least(1, window=self.window)

    def search(self, problem: Problem) -> Search:
        attempts = self.n // self.chains
        chains = (revise(problem, i, (), attempts, self.window, self.sure) for i in range(self.chains))
        return (yield Parallel(tuple(chains)))


def revise(
    problem: Problem, subtree: int, begun: Chain, attempts: int, window: int, sure: float | None = None
) -> Search:
    """So many more attempts of a chain that was begun, or fewer if the verifier is `sure` of one."""
    chain = begun
    for _ in range(attempts):
        attempt = yield Sample((Trajectory(problem, (), subtree, shown(chain, window)),))
        if sure is not None:
            attempt = yield Score(attempt)
        chain += attempt
        if sure is not None and _reached(chain[-1], sure):
            break
    return chain[len(begun) :]


def shown(chain: Chain, window: int) -> tuple[Turn, ...]:
    """What the next attempt gets to see of a chain: the latest `window` attempts that came to an end."""
    return tuple(Turn(attempt) for attempt in [one for one in chain if one.finished][-window:])


def _reached(attempt: Trajectory, sure: float) -> bool:
    return attempt.finished and bool(attempt.scores) and attempt.scores[-1] >= sure
