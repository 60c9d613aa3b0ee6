"""Interleaves the searches of many problems over one policy and one PRM."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from itertools import count
from typing import Any

from ttcs.core import PRM, Continue, Continued, Judge, Judged, Policy, Problem, Selection, Strategy
from ttcs.search.budget import Budget
from ttcs.search.execution import Execution, Outcome
from ttcs.search.joins import Joins
from ttcs.search.lane import Lane
from ttcs.search.opening import Opening
from ttcs.search.waves import Running, Sampling, Scoring

Waiter = tuple[int, Running[Any]]  # the number of a problem and a search within it


def run(
    strategy: Strategy,
    selection: Selection,
    problems: Iterable[Problem | None],
    policy: Policy,
    prm: Callable[[], PRM],
    budget: Budget,
    seed: int,
    bound: int | None = None,
) -> Iterator[Outcome]:
    """Search every problem; outcomes come in the order in which the searches end.

    problems: asked for one as long as the policy has room for it, and the engines' caches; None for now means that the
    engines work first. prm: called once, when something has to be scored for the first time. bound: see `Opening`.
    What a search comes to depends on the seed and its problem alone: not on the other problems, their order, the bound,
    or the capacity of the engines.
    """
    load = cache(prm)
    arrivals, numbers = iter(problems), count()
    sampling: Lane[Waiter, Continue, Continued] = Lane(lambda: policy)
    scoring: Lane[Waiter, Judge, Judged] = Lane(load)
    joins = Joins()
    opening = Opening(bound, policy.max_tokens)
    opening.holds(policy.cache_tokens)

    def advance(order: int, running: Running[Any], results: list[Any] | None) -> Iterator[Outcome]:
        """Send a search the results it waits for; queue the wave it asks for next, or yield its outcome.

        order: the number of its problem; the engines serve the oldest first. An error in one of several side by side
        ends all of them.
        """
        try:
            wave = next(running) if results is None else running.send(results)
        except StopIteration as end:
            opening.leave(order, running)
            if running not in joins:
                opening.end(order)
                yield end.value
            elif (joined := joins.end(running, end.value)) is not None:
                yield from advance(order, *joined)
            return
        except BaseException:
            joins.close(running)
            raise
        if isinstance(wave, Sampling):
            opening.wave(order, running, [request.trajectory for request in wave.requests], scoring=False)
            sampling.add((order, running), [replace(request, order=order) for request in wave.requests])
        elif isinstance(wave, Scoring):
            opening.holds(load().cache_tokens)
            opening.wave(order, running, [request.trajectory for request in wave.requests], scoring=True)
            scoring.add((order, running), [replace(request, order=order) for request in wave.requests])
        else:
            opening.leave(order, running)
            joins.add(running, wave.branches)
            for branch in wave.branches:
                yield from advance(order, branch, None)

    while True:
        while len(sampling) < policy.capacity and opening.room and (problem := next(arrivals, None)) is not None:
            order = next(numbers)
            opening.begin(order)
            execution = Execution(problem, policy, load, budget, seed)
            yield from advance(order, execution.run(strategy.search(problem), selection.reads_scores), None)
        asked = len(scoring)
        if not scoring and not sampling:
            return
        # On a GPU that two engines share, a policy with a few rows takes as much of the time as one with many. So where
        # there is plenty to score it is left to run dry, and gets all that has gathered once the PRM is nearly through.
        plenty = bool(scoring) and asked > load().capacity // 2
        sampling.hold(plenty and (sampling.holding or len(sampling) < policy.capacity))
        # While the policy is full the PRM waits for a full batch; with room in the policy, scores are what fills it.
        ready: list[tuple[Waiter, list[Any]]] = []
        if scoring and (sampling.holding or len(sampling) < policy.capacity or asked >= load().capacity):
            ready += scoring.step()
        if sampling.at_work and len(scoring) == asked:  # a PRM that works by itself may have nothing yet
            ready += sampling.step()
        for (order, running), results in ready:
            yield from advance(order, running, results)
