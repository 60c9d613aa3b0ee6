"""A run with a budget for the whole problem set (`budget=shared`): in rounds, the searches that need it most go on.

A search goes on by being begun anew with a larger n, and a policy that remembers what it has answered: so that it is,
at any time, the search of best-of-n that it would have been alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from ttcs.choice.sharing import Draw, Sharing
from ttcs.config.components import build, share
from ttcs.core import PRM, Candidate, Policy, Problem, Strategy
from ttcs.errors import UserError
from ttcs.records.drawn import Drawn, discard
from ttcs.records.grade import grade
from ttcs.records.record import Record
from ttcs.running.progress import spending
from ttcs.running.remembering import Remembering
from ttcs.running.session import METHOD, loader
from ttcs.search.budget import Budget
from ttcs.search.clock import Clock
from ttcs.search.execution import Execution, Outcome
from ttcs.search.reading import Answers
from ttcs.search.scheduler import interleaved
from ttcs.search.waves import Running
from ttcs.strategies.best_of_n import BestOfN

Tell = Callable[[int], None]


def check(config: Mapping[str, Any], strategy: Strategy, sharing: Sharing) -> None:
    """UserError where a run cannot share out its budget."""
    if sharing.tokens is None:
        raise UserError("budget=shared needs budget.tokens=..., those of all problems together")
    if not isinstance(strategy, BestOfN):
        raise UserError("budget=shared says how many independent samples there are: it takes strategy=best_of_n alone")
    if config["workers"] != 1:
        raise UserError(f"workers={config['workers']} cannot share a budget: budget=shared takes workers=1")
    if (shards := config["dataset"].get("shards", 1)) != 1:
        raise UserError(f"dataset.shards={shards}: budget=shared is of the whole problem set, which has to be in one")


@dataclass(slots=True)
class Share:
    """What a problem has got. seen: its samples, as the rule sees them. waits: how often it has waited for some.

    limited: the tokens may have run out in its last sample.
    """

    problem: Problem
    tokens: int = 0
    waits: int = 0
    limited: bool = False
    seen: list[Candidate] = field(default_factory=list)
    answers: Answers = field(default_factory=Answers)

    def learn(self, outcome: Outcome) -> int:
        """What has come of its search with some samples more; how many tokens these took."""
        new = outcome.candidates[len(self.seen) :]
        self.seen = [Candidate(group, -inf) for group in self.answers.read(new, 1)[0]]
        spent = outcome.ledger.decoded_tokens - self.tokens
        self.tokens += spent
        self.waits += 1
        return spent


@dataclass(slots=True)
class Rounds:
    """Searches that go on as they are told to, while there are tokens left. tell: how many were spent more.

    policy: remembers what it has answered. The other fields: as of `scheduler.run`.
    """

    strategy: BestOfN
    policy: Policy
    prm: Callable[[], PRM]
    seed: int
    bound: int | None
    shares: Sequence[Share]
    left: int
    tell: Tell

    def draw(self, wanted: Sequence[Draw]) -> list[Candidate]:
        """As many side by side as there are tokens for, whatever they come to; in the end one by one."""
        found: list[Candidate] = []
        while wanted and self.left:
            safe = self.left // self.policy.max_tokens
            wave, wanted = wanted[: max(1, safe)], wanted[max(1, safe) :]
            found += self._wave(wave, None if safe else self.left)
        return found

    def outcomes(self, problems: Collection[str], reads_scores: bool) -> Iterator[Outcome]:
        """What the searches of these problems have come to; nothing more is drawn."""
        ending = [own for own in self.shares if own.problem.id in problems]
        waits = {own.problem.id: own.waits for own in ending}
        begun = (
            self._search(own, len(own.seen), 0 if own.limited or not own.seen else None, reads_scores) for own in ending
        )
        for outcome in self._run(begun):
            outcome.ledger.rounds = waits[outcome.problem.id]
            yield replace(outcome, adaptive=True)

    def _wave(self, wave: Sequence[Draw], limit: int | None) -> list[Candidate]:
        """limit: tokens that the only sample of it may have."""
        sizes = {i: k + 1 for i, k in wave}  # the last one of a problem counts
        named = {self.shares[i].problem.id: self.shares[i] for i in sizes}
        for own in named.values():
            own.limited = limit is not None
        for outcome in self._run(self._search(self.shares[i], n, limit) for i, n in sizes.items()):
            spent = named[outcome.problem.id].learn(outcome)
            self.left -= spent
            self.tell(spent)
        return [self.shares[i].seen[k] for i, k in wave]

    def _search(self, own: Share, n: int, limit: int | None, reads_scores: bool = False) -> Running[Outcome]:
        """With n samples in all. limit: tokens of those that are new."""
        budget = Budget() if limit is None else Budget(tokens=own.tokens + limit)
        execution = Execution(own.problem, self.policy, self.prm, budget, self.seed)
        return execution.run(replace(self.strategy, n=max(1, n)).search(own.problem), reads_scores)

    def _run(self, begun: Iterable[Running[Outcome]]) -> Iterator[Outcome]:
        return interleaved(iter(begun), self.policy, self.prm, self.bound)


def session(
    config: DictConfig, problems: Sequence[Problem], waiting: Collection[str], folder: Path, seconds: float
) -> Iterator[Record]:
    """As `ttcs.running.session`. waiting: ids of the problems that have no record yet. All is drawn before it returns.

    folder: of the run, which keeps what is drawn until it is done.
    """
    strategy, selection, reduction, sharing, answering = (build(config, key) for key in METHOD)
    policy = share(config, "policy")
    policy.reset()
    ordered = sorted(problems, key=lambda problem: problem.id)  # as a replay has them
    shares = [Share(problem, answers=Answers(answering)) for problem in ordered]
    with Drawn(folder) as drawn, spending(sharing.tokens) as tell:
        clock = Clock(max(seconds, drawn.seconds))
        engines = Remembering(policy, drawn, clock), loader(config, clock)
        rounds = Rounds(strategy, *engines, config.seed, config.open, shares, sharing.tokens, tell)
        sharing.share_out(len(problems), strategy.n, rounds.draw)

    def records() -> Iterator[Record]:
        for outcome in rounds.outcomes(waiting, selection.reads_scores):
            outcome.ledger.seconds = clock.seconds()  # all problems are admitted at once
            yield grade(outcome, selection, reduction, clock.seconds(), answering)
        discard(folder)

    return records()
