from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from ttcs.core import Problem, Request, Sample, Score, Search, Trajectory, Turn
from ttcs.strategies.checks import at_least, multiple

Chain = list[Trajectory]


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
        begun: list[Chain] = [[] for _ in range(self.chains)]
        chains = yield from revise(problem, begun, self.n // self.chains, self.window, self.sure)
        return tuple(attempt for chain in chains for attempt in chain)


def revise(
    problem: Problem, chains: list[Chain], rounds: int, window: int, sure: float | None = None
) -> Generator[Request, tuple[Trajectory, ...], list[Chain]]:
    """The chains with an attempt more each round, but for those that end with one that the verifier is `sure` of."""
    going = list(range(len(chains)))
    for _ in range(rounds):
        starts = tuple(Trajectory(problem, (), i, shown(chains[i], window)) for i in going)
        attempts = yield Sample(starts)
        if sure is not None:
            attempts = yield Score(attempts)
        for i, attempt in zip(going, attempts, strict=True):
            chains[i].append(attempt)
        going = [i for i in going if sure is None or not _reached(chains[i][-1], sure)]
        if not going:
            break
    return chains


def shown(chain: Chain, window: int) -> tuple[Turn, ...]:
    """What the next attempt gets to see of a chain: the latest `window` attempts that came to an end."""
    return tuple(Turn(attempt) for attempt in [one for one in chain if one.finished][-window:])


def _reached(attempt: Trajectory, sure: float) -> bool:
    return attempt.finished and bool(attempt.scores) and attempt.scores[-1] >= sure
