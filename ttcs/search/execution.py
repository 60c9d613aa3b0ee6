"""One problem's search under way: turns what the strategy asks for into engine requests, within the budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

from ttcs.core import (
    PRM,
    Append,
    Continue,
    Continued,
    Judge,
    Judged,
    Policy,
    Problem,
    Request,
    Sample,
    Score,
    Search,
    Trajectory,
)
from ttcs.errors import UserError
from ttcs.search.admission import Bounds, admit
from ttcs.search.ledger import Budget, Ledger
from ttcs.search.tree import Node, Tree


@dataclass(frozen=True, slots=True)
class Sampling:
    """A wave for the policy: requests that may run side by side."""

    requests: list[Continue]


@dataclass(frozen=True, slots=True)
class Scoring:
    """A wave for the PRM."""

    requests: list[Judge]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search came to: its candidates in the order of the search, all nodes it sampled, and its cost.

    policy_parameters, prm_parameters: see `ModelSize`; None: not known, as of a PRM that was not asked.
    """

    problem: Problem
    candidates: tuple[Trajectory, ...]
    tree: tuple[Node, ...]
    ledger: Ledger
    policy_parameters: int | None = None
    prm_parameters: int | None = None


Running = Generator[Sampling | Scoring, list[Any], Outcome]  # sent one result per request, in order


@dataclass(slots=True)
class Execution:
    """Runs one search: `run` yields waves of requests and is sent their results in the same order.

    prm: loads the PRM on the first call; called only after something had to be scored.
    """

    problem: Problem
    policy: Policy
    prm: Callable[[], PRM]
    budget: Budget
    seed: int
    ledger: Ledger = field(init=False, default_factory=Ledger)
    _tree: Tree = field(init=False, default_factory=Tree)
    _turns: int = field(init=False, default=0)
    _prompt_tokens: int | None = field(init=False, default=None)
    # By leaf: the candidates of a search whose budget runs out.
    _finished: dict[int, Trajectory] = field(init=False, default_factory=dict)

    def run(self, search: Search, reads_scores: bool) -> Running:
        """reads_scores: have the finished candidates scored at the end, as far as the search has not."""
        started = time.perf_counter()
        candidates = yield from self._converse(search)
        finished = [candidate for candidate in candidates if candidate.finished]
        if reads_scores and len(finished) > 1:  # with one there is nothing to choose
            yield from self._score(finished)
        for i, candidate in enumerate(candidates):
            if not self._tree.holds(candidate):
                raise ValueError(f"candidate {i} of problem {self.problem.id} has steps outside its tree")
        sampled = [step for candidate in candidates for step in candidate.steps if not step.given]
        kept = {step.node: len(step.tokens) for step in sampled}
        self.ledger.discarded_tokens = self.ledger.decoded_tokens - self.ledger.lookahead_tokens - sum(kept.values())
        self.ledger.seconds = time.perf_counter() - started
        scored = tuple(self._tree.scored(candidate) for candidate in candidates)
        prm = self.prm().size.parameters if self.ledger.prm_calls else None
        return Outcome(self.problem, scored, self._tree.nodes(), self.ledger, self.policy.size.parameters, prm)

    def _converse(self, search: Search) -> Generator[Sampling | Scoring, list[Any], tuple[Trajectory, ...]]:
        said = _resume(search, None)
        while not isinstance(said, tuple):
            if isinstance(said, Score):
                reply = yield from self._score(said.trajectories)
            elif isinstance(said, Append):
                steps = self.policy.append(said.text, said.cut)
                reply = tuple(self._tree.grow(trajectory, steps, False) for trajectory in said.trajectories)
            else:
                reply = yield from self._sample(said)
                if len(reply) < len(said.trajectories):
                    search.close()
                    return tuple(self._finished.values())
            said = _resume(search, reply)
        return said

    def _sample(self, sample: Sample) -> Generator[Sampling, list[Continued], tuple[Trajectory, ...]]:
        """Fewer trajectories than asked for when the budget runs out."""
        waiting = [
            Continue(
                trajectory,
                sample.max_steps,
                None,
                sample.temperature,
                self._seed(i),
                logprobs=sample.logprobs,
                thinking=sample.thinking,
                answer=sample.answer,
                total=sample.total,
                suppress=sample.suppress,
            )
            for i, trajectory in enumerate(sample.trajectories)
        ]
        self._turns += 1
        grown: list[Trajectory] = []
        while waiting:
            bounds = Bounds(self.policy.size, self.policy.max_tokens, self._prompt_tokens)
            wave = admit(waiting, self.budget.left(self.ledger), bounds)
            if not wave:
                break
            waiting = waiting[len(wave) :]
            results = yield Sampling(wave)
            for request, result in zip(wave, results, strict=True):
                grown.append(self._grow(request, result, sample.lookahead))
        return tuple(grown)

    def _grow(self, request: Continue, result: Continued, lookahead: bool) -> Trajectory:
        self.ledger.charge_policy(self.policy.size, request, result, lookahead)
        if self._prompt_tokens is None:
            self._prompt_tokens = result.prompt_tokens - len(request.trajectory.tokens)
        trajectory = self._tree.grow(request.trajectory, result.steps, lookahead)
        if trajectory.finished and not lookahead:
            self._finished[trajectory.steps[-1].node] = trajectory
        return trajectory

    def _score(self, trajectories: Sequence[Trajectory]) -> Generator[Scoring, list[Judged], tuple[Trajectory, ...]]:
        known = [self._tree.scored(trajectory) for trajectory in trajectories]
        unscored = {trajectory.steps[-1].node: trajectory for trajectory in known if not trajectory.scored}
        if unscored:
            read = [replace(trajectory, steps=trajectory.judged) for trajectory in unscored.values()]
            results = yield Scoring([Judge(trajectory) for trajectory in read])
            for trajectory, result in zip(read, results, strict=True):
                self.ledger.charge_prm(self.prm().size, result)
                self._check(result.scores)
                self._tree.learn(trajectory, result.scores)
        return tuple(self._tree.scored(trajectory) for trajectory in known)

    def _check(self, scores: Sequence[float | None]) -> None:
        """UserError for a score that is none: a search would go on with it, and records cannot hold it."""
        for number, score in enumerate(scores, 1):
            if score is not None and not 0 <= score <= 1:
                name = f"step {number} of a solution of problem {self.problem.id}"
                raise UserError(f"the PRM scored {name} {score}, which is not in [0, 1]")

    def _seed(self, index: int) -> int:
        """64 bits from what identifies the request, whatever else is running."""
        name = f"{self.seed}\0{self.problem.id}\0{self._turns}\0{index}"
        return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")


def _resume(search: Search, reply: tuple[Trajectory, ...] | None) -> Request | tuple[Trajectory, ...]:
    """The next request, or the candidates when the search returns."""
    try:
        return next(search) if reply is None else search.send(reply)
    except StopIteration as end:
        candidates: tuple[Trajectory, ...] = end.value
        return candidates
