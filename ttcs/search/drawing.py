"""Samples that are drawn until they are enough: read one after another in their order, while later ones run ahead."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from ttcs.core import Continue, Continued, Enough, Judged, Sample, Trajectory
from ttcs.search.branch import Branch
from ttcs.search.budget import Budget
from ttcs.search.reading import Answers
from ttcs.search.streams import Stream
from ttcs.search.waves import Closing, Drawing, LateError, Reading, Reply, Running, Scoring

if TYPE_CHECKING:
    from ttcs.search.execution import Execution


@dataclass(frozen=True, slots=True)
class Ended:
    """A sample that has come to an end, which the search does not know of yet.

    written: with what has come of it. judged: what the PRM says of it; None: it did not have to be read.
    """

    request: Continue
    result: Continued
    written: Trajectory
    judged: Judged | None = None

    @property
    def answering(self) -> Trajectory | None:
        """As its answer is read; None: it is too long for the PRM, and so it has none."""
        return self.written if self.judged is None or self.judged.limit is None else None


@dataclass(slots=True)
class Draw:
    """One request under way. drawn: those that have been looked at so far."""

    execution: Execution
    branch: Branch
    sample: Sample
    enough: Enough
    requests: Sequence[Continue]
    drawn: list[Trajectory] = field(init=False, default_factory=list)
    _stream: Stream[Continue, Continued] = field(init=False, default_factory=Stream)
    _answers: Answers = field(init=False)

    def __post_init__(self) -> None:
        self._answers = Answers(self.execution.answering)

    def run(self) -> Running[Reply]:
        """The shortest beginning of the samples that is enough. What has come of others leaves nothing but its cost.

        When the time is up, what has come of any counts.
        """
        try:
            if not (yield from self._seen_are_enough()):
                yield from self._draw()
            return tuple(self.drawn)
        except LateError:
            for request, result in self._stream.beyond(len(self.drawn)):
                self.execution.grow(self.branch, self.sample, request, result)
            raise

    def _seen_are_enough(self) -> Generator[Reading, list[tuple[int | None, ...]], bool]:
        if not (self.sample.seen and self.requests):
            return False
        (groups,) = yield Reading(partial(self._answers.read, self.sample.seen, 1))
        return self.enough((), groups)

    def _draw(self) -> Running[None]:
        while len(self.drawn) < len(self.requests):
            self.branch.rounds += 1
            results = yield Drawing(self._stream, self._begun())
            ended = yield from self._ended(results)
            groups = yield Reading(partial(self._answers.read, [one.answering for one in ended], len(ended)))
            for one, own in zip(ended, groups, strict=True):
                self._keep(one)
                if self.enough(tuple(self.drawn), own):
                    yield Closing(self._stream)
                    return self._speculated()

    def _begun(self) -> list[Continue]:
        """What is to run beside the requests that are begun."""
        begun, drawn, ahead = len(self._stream.requests), len(self.drawn), self.execution.ahead
        if self.execution.budget == Budget():
            return list(self.requests[begun : None if ahead is None else drawn + 1 + ahead])
        return self.execution.afforded(self.requests[drawn : drawn + 1])

    def _ended(self, results: Sequence[Continued]) -> Generator[Scoring, list[Judged], list[Ended]]:
        """With what the PRM says of those that it has to read."""
        tree, requests = self.branch.tree, self._stream.requests[len(self.drawn) :]
        ended = [
            Ended(request, result, tree.scored(request.trajectory).extend(result.steps))
            for request, result in zip(requests, results, strict=False)
        ]
        unread = [one.written for one in ended if self._unread(one.written)]
        judged = iter((yield from self.execution.judge(unread)))
        return [replace(one, judged=next(judged)) if self._unread(one.written) else one for one in ended]

    def _unread(self, written: Trajectory) -> bool:
        return self.sample.scored and written.finished and not written.scored

    def _keep(self, one: Ended) -> None:
        trajectory = self.execution.grow(self.branch, self.sample, one.request, one.result)
        if one.judged is not None:
            self.execution.learn(self.branch.tree, trajectory, one.judged)
        self.drawn.append(self.branch.tree.scored(trajectory))

    def _speculated(self) -> None:
        """Charge what ran, or had ended, beyond those that were drawn."""
        for request, result in self._stream.beyond(len(self.drawn)):
            self.execution.ledger.charge_speculated(self.execution.policy.size, request, result)
