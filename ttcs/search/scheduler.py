"""Interleaves the searches of many problems over one policy and one PRM."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from typing import Any

from ttcs.answers.kinds import MATHEMATICS, Answering
from ttcs.core import PRM, Continue, Continued, Judge, Judged, Policy, Problem, Selection, Strategy
from ttcs.search.budget import Budget
from ttcs.search.execution import Execution, Outcome
from ttcs.search.joins import Joins
from ttcs.search.lane import Lane
from ttcs.search.opening import Opening
from ttcs.search.reading import Readers
from ttcs.search.waves import Branching, Closing, Drawing, LateError, Reading, Running, Sampling, Scoring, Wave

Waiter = tuple[int, Running[Any]]  # the number of a problem and a search within it


@dataclass(frozen=True, slots=True)
class Ended:
    """order: the number of its problem. found: what its search came to, or what it failed with."""

    order: int
    found: Outcome | Exception

    @property
    def outcome(self) -> Outcome:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def run(
    strategy: Strategy,
    selection: Selection,
    problems: Iterable[Problem | None],
    policy: Policy,
    prm: Callable[[], PRM],
    budget: Budget,
    seed: int,
    bound: int | None = None,
    ahead: int | None = 0,
    answering: Answering = MATHEMATICS,
) -> Iterator[Outcome]:
    """Search every problem; outcomes come in the order in which the searches end.

    problems: asked for one as long as the policy has room for it, and the engines' caches; None for now means that the
    engines work first. prm: called once, when something has to be scored for the first time. bound: see `Opening`.
    ahead, answering: see `Execution`.
    What a search comes to depends on the seed and its problem alone: not on the other problems, their order, the bound,
    what runs ahead, or the capacity of the engines.
    """
    load = cache(prm)

    def begun() -> Iterator[Running[Outcome] | None]:
        for problem in problems:
            if problem is None:
                yield None
            else:
                execution = Execution(problem, policy, load, budget, seed, ahead=ahead, answering=answering)
                yield execution.run(strategy.search(problem), selection.reads_scores)

    return interleaved(begun(), policy, load, bound)


def interleaved(
    begun: Iterator[Running[Outcome] | None], policy: Policy, prm: Callable[[], PRM], bound: int | None
) -> Iterator[Outcome]:
    """Outcomes of searches, each of a problem of its own. begun: asked for them as `run` asks for problems."""
    searches, numbers = Searches(policy, prm, Opening(bound, policy.max_tokens)), count()
    try:
        while True:
            while searches.room and (running := next(begun, None)) is not None:
                yield from (ended.outcome for ended in searches.begin(next(numbers), running))
            if not searches.waiting:
                return
            yield from (ended.outcome for ended in searches.work())
    finally:
        searches.readers.close()


@dataclass(slots=True)
class Searches:
    """Those under way, and the two engines that they wait for.

    prm: loads it on the first call. opening: whether another problem may be opened. open: those under way, by number.
    seen: is told of each result of the policy as it comes, by the number of its problem.
    A search that fails ends by itself; what an engine fails with, `work` raises.
    """

    policy: Policy
    prm: Callable[[], PRM]
    opening: Opening
    seen: Callable[[int, Continue, Continued], None] | None = None
    readers: Readers[Waiter] = field(init=False, default_factory=Readers)
    open: dict[int, Running[Outcome]] = field(init=False, default_factory=dict)
    _sampling: Lane[Waiter, Continue, Continued] = field(init=False)
    _scoring: Lane[Waiter, Judge, Judged] = field(init=False)
    _joins: Joins = field(init=False, default_factory=Joins)

    def __post_init__(self) -> None:
        self._sampling, self._scoring = Lane(lambda: self.policy, self._sampled), Lane(self.prm)
        self.opening.holds(self.policy.cache_tokens)

    @property
    def room(self) -> bool:
        """Whether there is some for another problem."""
        return len(self._sampling) < self.policy.capacity and self.opening.room

    @property
    def waiting(self) -> bool:
        """Whether a search waits for an engine, or for answers to be read."""
        return bool(self._scoring or self._sampling or self.readers)

    def begin(self, order: int, running: Running[Outcome]) -> Iterator[Ended]:
        """Open the problem of this number; the engines serve the oldest first."""
        self.opening.begin(order)
        self.open[order] = running
        yield from self._advance(order, running, None)

    def cancel(self, order: int) -> None:
        """Give up the search of a problem, in the engines too; nothing, where it has ended."""
        if (root := self.open.pop(order, None)) is None:
            return
        self._joins.forget(root)
        root.close()
        self.opening.end(order)
        self.readers.drop(lambda waiter: waiter[0] == order)
        self._sampling.drop(lambda waiter: waiter[0] == order, self.policy.cancel)
        self._scoring.drop(lambda waiter: waiter[0] == order, self._unscored)

    def expire(self, order: int) -> Iterator[Ended]:
        """Give up the search of a problem in the engines, and have it come to what has ended of it by now.

        What of that has to be scored is scored yet. Nothing, where the search has ended.
        """
        if (root := self.open.get(order)) is None:
            return
        late: dict[Running[Any], LateError] = {}
        for (_, running), sampled in self._sampling.end(lambda waiter: waiter[0] == order, self.policy.cancel):
            late[running] = LateError(sampled)
        for (_, running), judged in self._scoring.end(lambda waiter: waiter[0] == order, self._unscored):
            late[running] = LateError(judged)
        for _, running in self.readers.drop(lambda waiter: waiter[0] == order):
            late[running] = LateError()
        self._joins.forget(root)
        for running in late.keys() - {root}:
            self.opening.leave(order, running)
            try:
                running.throw(late[running])
            except LateError:
                continue
            except Exception as error:  # of a strategy that is somebody's own
                self.cancel(order)
                yield Ended(order, error)
                return
        yield from self._advance(order, root, late.get(root, LateError()))

    def _sampled(self, waiter: Waiter, request: Continue, result: Continued) -> None:
        if self.seen is not None:
            self.seen(waiter[0], request, result)

    def _unscored(self, ticket: int) -> None:
        self.prm().cancel(ticket)

    def work(self) -> Iterator[Ended]:
        """Let the engines work for a while, and the searches go on whose results are complete."""
        read = self.readers.ready(idle=not (self._scoring or self._sampling))
        for (order, running), results in read or self._ready():
            yield from self._advance(order, running, results)

    def _ready(self) -> list[tuple[Waiter, list[Any]]]:
        """Searches that have what they waited for."""
        sampling, scoring, asked = self._sampling, self._scoring, len(self._scoring)
        # On a GPU that two engines share, a policy with a few rows takes as much of the time as one with many. So where
        # there is plenty to score it is left to run dry, and gets all that has gathered once the PRM is nearly through.
        plenty = bool(scoring) and asked > self.prm().capacity // 2
        sampling.hold(plenty and (sampling.holding or len(sampling) < self.policy.capacity))
        # While the policy is full the PRM waits for a full batch; with room in the policy, scores are what fills it.
        ready: list[tuple[Waiter, list[Any]]] = []
        if scoring and (sampling.holding or len(sampling) < self.policy.capacity or asked >= self.prm().capacity):
            ready += scoring.step()
        if sampling.at_work and len(scoring) == asked:  # a PRM that works by itself may have nothing yet
            ready += sampling.step()
        return ready

    def _advance(self, order: int, running: Running[Any], results: list[Any] | LateError | None) -> Iterator[Ended]:
        """Send a search the results it waits for; queue the wave it asks for next, or yield its outcome.

        An error in one of several side by side ends all of them. results: LateError: its time is up.
        """
        if order not in self.open:
            return
        try:
            if isinstance(results, LateError):
                wave = running.throw(results)
            else:
                wave = next(running) if results is None else running.send(results)
            following = self._queue(order, running, wave)
        except StopIteration as end:
            yield from self._end(order, running, end.value)
        except Exception as error:
            self.cancel(order)
            yield Ended(order, error)
        except BaseException:
            self.cancel(order)
            raise
        else:
            for search, known in following:
                yield from self._advance(order, search, known)

    def _queue(self, order: int, running: Running[Any], wave: Wave) -> list[tuple[Running[Any], list[Any] | None]]:
        """The searches that go on at once, with the results that they have by now; None: they begin."""
        if isinstance(wave, Branching):
            self.opening.leave(order, running)
            self._joins.add(running, wave.branches)
            return [(branch, None) for branch in wave.branches]
        if isinstance(wave, Reading):
            self.readers.add((order, running), wave.read)
            return []
        if isinstance(wave, Drawing | Closing):
            return self._stream(order, running, wave)
        if isinstance(wave, Scoring):
            self.opening.holds(self.prm().cache_tokens)
        trajectories = [request.trajectory for request in wave.requests]
        self.opening.wave(order, running, trajectories, scoring=isinstance(wave, Scoring))
        if isinstance(wave, Sampling):
            self._sampling.add((order, running), [replace(request, order=order) for request in wave.requests])
        else:
            self._scoring.add((order, running), [replace(request, order=order) for request in wave.requests])
        return []

    def _stream(
        self, order: int, running: Running[Any], wave: Drawing | Closing
    ) -> list[tuple[Running[Any], list[Any] | None]]:
        """What has come already is handed out at once."""
        if isinstance(wave, Closing):
            self._sampling.withdraw(wave.stream, self.policy.cancel)
            return [(running, [])]
        requests = [replace(request, order=order) for request in wave.requests]
        if requests and not wave.stream.requests:
            self.opening.wave(order, running, [request.trajectory for request in requests], scoring=False)
        results = self._sampling.draw((order, running), wave.stream, requests)
        return [(running, results)] if results else []

    def _end(self, order: int, running: Running[Any], found: Any) -> Iterator[Ended]:
        """found: the outcome of a problem, or the candidates of a search within it."""
        self.opening.leave(order, running)
        if running not in self._joins:
            self.opening.end(order)
            del self.open[order]
            yield Ended(order, found)
        elif (joined := self._joins.end(running, found)) is not None:
            yield from self._advance(order, *joined)
