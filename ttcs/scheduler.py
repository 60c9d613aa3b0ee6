"""Interleaves the searches of many problems over one policy and one PRM."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from itertools import count
from typing import Any

from ttcs.core import PRM, Continue, Continued, Judge, Judged, Policy, Problem, Selection, Strategy
from ttcs.execution import Execution, Outcome, Running, Sampling, Scoring
from ttcs.lane import Lane
from ttcs.ledger import Budget
from ttcs.opening import Opening


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

    problems: asked for one as long as the policy has room, and the engines' caches; None for now means that the engines
    work first. bound: see `Opening`. prm: called once, when something has to be scored for the first time. What a search
    comes to depends on the seed and its problem alone: not on the other problems, their order, the bound, or the
    capacity of the engines.
    """
    load = cache(prm)
    arrivals, numbers = iter(problems), count()
    sampling: Lane[tuple[int, Running], Continue, Continued] = Lane(lambda: policy)
    scoring: Lane[tuple[int, Running], Judge, Judged] = Lane(load)
    opening = Opening(bound)
    opening.holds(policy.cache_tokens)

    def advance(order: int, running: Running, results: list[Any] | None) -> Iterator[Outcome]:
        """Send a search the results it waits for; queue the wave it asks for next, or yield its outcome.

        order: the number of its problem. The engines serve the oldest one first, so that few are half done at a time.
        """
        try:
            wave = next(running) if results is None else running.send(results)
        except StopIteration as end:
            opening.end(order)
            yield end.value
            return
        trajectories = [request.trajectory for request in wave.requests]
        if isinstance(wave, Sampling):
            sampling.add((order, running), [replace(request, order=order) for request in wave.requests])
        else:
            scoring.add((order, running), [replace(request, order=order) for request in wave.requests])
            opening.holds(load().cache_tokens)
        opening.wave(order, running, trajectories, isinstance(wave, Scoring))

    while True:
        while len(sampling) < policy.capacity and opening.room and (problem := next(arrivals, None)) is not None:
            order = next(numbers)
            opening.begin(order)
            execution = Execution(problem, policy, load, budget, seed)
            yield from advance(order, execution.run(strategy.search(problem), selection.reads_scores), None)
        asked = len(scoring)
        if not scoring and not sampling:
            return
        # Engines that share a GPU share its time too, however few rows the policy works on: with plenty to score it is
        # left to run dry, and gets what has gathered meanwhile at once.
        plenty = asked > load().capacity // 2 if scoring else False
        sampling.hold(plenty and (sampling.holding or len(sampling) < policy.capacity))
        # While the policy is full the PRM waits for a full batch; with room in the policy, scores are what fills it.
        ready: list[tuple[tuple[int, Running], list[Any]]] = []
        if scoring and (sampling.holding or len(sampling) < policy.capacity or asked >= load().capacity):
            ready += scoring.step()
        if sampling.at_work and len(scoring) == asked:  # a PRM that works by itself may have nothing yet
            ready += sampling.step()
        for (order, running), results in ready:
            yield from advance(order, running, results)
