"""One problem's search under way: turns what the strategy asks for into engine requests, within the budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ttcs.answers.kinds import MATHEMATICS, Answering
from ttcs.core import (
    PRM,
    Append,
    Continue,
    Continued,
    Enough,
    Judge,
    Judged,
    Parallel,
    Policy,
    Problem,
    Sample,
    Score,
    Search,
    Trajectory,
)
from ttcs.search.branch import Asked, Branch, Rounds, in_step
from ttcs.search.budget import Bounds, Budget, admit
from ttcs.search.drawing import Draw
from ttcs.search.judging import check, unread
from ttcs.search.ledger import Ledger
from ttcs.search.reading import Answers
from ttcs.search.tree import Node, Tree
from ttcs.search.waves import Branching, LateError, Reading, Reply, Running, Sampling, Scoring


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search came to: its candidates in the order of the search, all nodes it sampled, and its cost.

    policy_parameters, prm_parameters: see `ModelSize`; None: not known, as of a PRM that was not asked.
    prm_limit: tokens that the PRM reads at most; None: nothing was longer.
    adaptive: what the samples are has decided how many there are. late: its time was up before it had ended.
    """

    problem: Problem
    candidates: tuple[Trajectory, ...]
    tree: tuple[Node, ...]
    ledger: Ledger
    policy_parameters: int | None = None
    prm_parameters: int | None = None
    prm_limit: int | None = None
    adaptive: bool = False
    late: bool = False


@dataclass(slots=True)
class Execution:
    """Runs one search: `run` yields waves of requests and is sent their results in the same order.

    prm: loads the PRM on the first call; called only after something had to be scored.
    in_step: searches side by side advance together, in one wave; as they always do where the budget has a limit.
    ahead: where samples may be enough, how many run beyond the next one that is looked at; None: all there may be.
        Where the budget has a limit none do: what they took would be missing for the next one.
    longest: solution, in tokens, where that is less than what the policy's own limit allows.
    answering: how answers are read, where a search asks which of them are the same.
    """

    problem: Problem
    policy: Policy
    prm: Callable[[], PRM]
    budget: Budget
    seed: int
    in_step: bool = False
    ahead: int | None = 0
    longest: int | None = None
    answering: Answering = MATHEMATICS
    ledger: Ledger = field(init=False, default_factory=Ledger)
    _tree: Tree = field(init=False, default_factory=Tree)
    _prompt_tokens: int | None = field(init=False, default=None)
    _prm_limit: int | None = field(init=False, default=None)
    _adaptive: bool = field(init=False, default=False)
    _late: bool = field(init=False, default=False)
    # By leaf: the candidates of a search whose budget runs out.
    _finished: dict[int, Trajectory] = field(init=False, default_factory=dict)

    def run(self, search: Search, reads_scores: bool) -> Running[Outcome]:
        """reads_scores: have the finished candidates scored at the end, as far as the search has not."""
        started = time.perf_counter()
        root = Branch(search, self._tree, f"{self.seed}\0{self.problem.id}")
        try:
            candidates = yield from self._waves(self._rounds(root))
        except _SpentError:
            candidates = tuple(self._finished.values())
        except LateError:
            candidates = tuple(self._finished.values())
            self._late = self._adaptive = True
        finished = tuple(candidate for candidate in candidates if candidate.finished)
        if reads_scores and len(finished) > 1:  # with one there is nothing to choose
            yield from self._choosing([(root, Score(finished))])
        for i, candidate in enumerate(candidates):
            if not self._tree.holds(candidate):
                raise ValueError(f"candidate {i} of problem {self.problem.id} has steps outside its tree")
        sampled = [step for candidate in candidates for step in candidate.steps if not step.given]
        kept = {step.node: len(step.tokens) for step in sampled}
        self.ledger.close(sum(kept.values()), root.rounds, time.perf_counter() - started)
        settled = self._tree.settle(candidates)
        sizes = self.policy.size.parameters, self.prm().size.parameters if self.ledger.prm_calls else None
        tree = self._tree.nodes()
        limit, adaptive, late = self._prm_limit, self._adaptive, self._late
        return Outcome(self.problem, settled, tree, self.ledger, *sizes, limit, adaptive, late)

    def _choosing(self, asked: Sequence[tuple[Branch, Score]]) -> Running[list[Reply]]:
        """The last of a search, which has no limit: without scores nothing could be chosen."""
        try:
            return (yield from self._score(asked))
        except LateError:
            return (yield from self._score(asked))

    def _waves(self, rounds: Rounds) -> Running[Reply]:
        """What a search asks for, as waves for the engines; its candidates."""
        replies: list[Any] | None = None
        try:
            while True:
                asked = next(rounds) if replies is None else rounds.send(replies)
                if isinstance(asked, Branching | Reading):
                    replies = yield asked
                else:
                    replies = yield from self._answer(asked)
        except StopIteration as end:
            candidates: Reply = end.value
            return candidates
        finally:
            rounds.close()

    def _rounds(self, branch: Branch) -> Rounds:
        """What a search asks for of the engines; it is closed if it does not come to its end."""
        try:
            said = branch.resume(None)
            while not isinstance(said, tuple):
                if isinstance(said, Parallel):
                    reply = yield from self._several(branch, said)
                elif isinstance(said, Append):
                    steps = self.policy.append(said.text, said.cut)
                    reply = tuple(branch.tree.grow(trajectory, steps, False) for trajectory in said.trajectories)
                else:
                    (reply,) = yield [(branch, said)]
                said = branch.resume(reply)
            return said
        finally:
            branch.search.close()

    def _several(self, branch: Branch, parallel: Parallel) -> Rounds:
        if parallel.enough is None:
            return (yield from self._side_by_side(branch, parallel.searches))
        return (yield from self._in_turn(branch, parallel.searches, parallel.enough))

    def _in_turn(self, branch: Branch, searches: Sequence[Search], enough: Enough) -> Rounds:
        """The candidates of the shortest beginning of the searches that is enough; the others never begin."""
        found: Reply = ()
        answers, ended = Answers(self.answering), list[Branch]()
        self._adaptive |= len(searches) > 1
        forks = branch.fork(searches)
        try:
            for fork in forks:
                ended.append(fork)
                candidates = yield from self._rounds(fork)
                found += candidates
                (groups,) = yield Reading(partial(answers.read, candidates, 1))
                if enough(found, groups):
                    break
            return found
        finally:
            for fork in forks:
                fork.search.close()
            branch.join(ended, in_turn=True)

    def _side_by_side(self, branch: Branch, searches: Sequence[Search]) -> Rounds:
        """The candidates of all; what one of them fails with ends the others."""
        forks = branch.fork(searches)
        rounds = [self._rounds(fork) for fork in forks]
        try:
            if self.in_step or self.budget != Budget() or not forks:
                found = yield from in_step(rounds)
            else:
                found = yield Branching([self._waves(each) for each in rounds])
            return tuple(candidate for candidates in found for candidate in candidates)
        finally:
            for each in rounds:
                each.close()
            branch.join(forks)

    def _answer(self, asked: Sequence[Asked]) -> Running[list[Reply]]:
        """The replies to all; what has to be sampled goes together, and so does what has to be scored.

        Samples that may be enough are drawn by themselves.
        """
        samples = [(branch, said) for branch, said in asked if isinstance(said, Sample) and said.enough is None]
        scores = [(branch, said) for branch, said in asked if isinstance(said, Score)]
        sampled = iter((yield from self._sample(samples)))
        scored = iter((yield from self._score(scores)))
        replies: list[Reply] = []
        for branch, said in asked:
            if isinstance(said, Sample) and said.enough is not None:
                requests = self._requests(branch, said)
                self._adaptive |= len(requests) > 1
                replies.append((yield from Draw(self, branch, said, said.enough, requests).run()))
            else:
                replies.append(next(sampled if isinstance(said, Sample) else scored))
        return replies

    def _sample(self, asked: Sequence[tuple[Branch, Sample]]) -> Generator[Sampling, list[Continued], list[Reply]]:
        waiting = [(i, request) for i, (branch, said) in enumerate(asked) for request in self._requests(branch, said)]
        grown: list[list[Trajectory]] = [[] for _ in asked]
        for branch, said in asked:
            branch.rounds += bool(said.trajectories)
        while waiting:
            wave = self.afforded([request for _, request in waiting])
            try:
                results = yield Sampling(wave)
            except LateError as late:
                for place, result in sorted(late.results.items()):
                    self.grow(*asked[waiting[place][0]], wave[place], result)
                raise
            for (i, _), request, result in zip(waiting, wave, results, strict=False):
                grown[i].append(self.grow(*asked[i], request, result))
            waiting = waiting[len(wave) :]
        return [tuple(trajectories) for trajectories in grown]

    def _requests(self, branch: Branch, sample: Sample) -> list[Continue]:
        requests, longest = branch.requests(sample), self.longest
        if longest is None:
            return requests
        return [replace(one, max_tokens=max(0, longest - len(one.trajectory.tokens))) for one in requests]

    def afforded(self, requests: Sequence[Continue]) -> list[Continue]:
        """Those that the budget pays for, as `admit` says. _SpentError when it has run out."""
        bounds = Bounds(self.policy.size, self.policy.max_tokens, self._prompt_tokens)
        if not (wave := admit(requests, self.budget.left(self.ledger), bounds)):
            raise _SpentError
        return wave

    def grow(self, branch: Branch, sample: Sample, request: Continue, result: Continued) -> Trajectory:
        self.ledger.charge_policy(self.policy.size, request, result, sample.lookahead)
        if self._prompt_tokens is None:
            self._prompt_tokens = result.prompt_tokens - len(request.trajectory.tokens)
        trajectory = branch.tree.grow(request.trajectory, result.steps, sample.lookahead)
        if trajectory.finished and not sample.lookahead:
            self._finished[trajectory.steps[-1].node] = trajectory
        return trajectory

    def _score(self, asked: Sequence[tuple[Branch, Score]]) -> Generator[Scoring, list[Judged], list[Reply]]:
        waiting = [
            (branch.tree, trajectory) for branch, said in asked for trajectory in unread(branch.tree, said.trajectories)
        ]
        results = yield from self.judge([trajectory for _, trajectory in waiting])
        for (tree, trajectory), result in zip(waiting, results, strict=True):
            self.learn(tree, trajectory, result)
        return [tuple(map(branch.tree.scored, said.trajectories)) for branch, said in asked]

    def judge(self, trajectories: Sequence[Trajectory]) -> Generator[Scoring, list[Judged], list[Judged]]:
        """What the PRM says of each."""
        if not trajectories:
            return []
        try:
            results = yield Scoring([Judge(replace(one, steps=one.judged)) for one in trajectories])
        except LateError as late:
            for result in late.results.values():
                self.ledger.charge_prm(self.prm().size, result)
            raise
        for result in results:
            self.ledger.charge_prm(self.prm().size, result)
            check(self.problem, result.scores)
        return results

    def learn(self, tree: Tree, trajectory: Trajectory, result: Judged) -> None:
        tree.learn(replace(trajectory, steps=trajectory.judged), result.scores)
        if result.limit is not None:
            self._prm_limit = result.limit
            tree.cut(trajectory)
            self._finished.pop(trajectory.steps[-1].node, None)


class _SpentError(Exception):
    """The budget ran out."""
