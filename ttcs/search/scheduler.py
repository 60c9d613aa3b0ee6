"""Interleaves the searches of many problems over one policy and one PRM."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from ttcs.core import PRM, Continue, Continued, Judge, Judged, Policy, Problem, Selection, Strategy
from ttcs.search.execution import Execution, Outcome
from ttcs.search.joins import Joins
from ttcs.search.lane import Lane
from ttcs.search.ledger import Budget
from ttcs.search.waves import Running, Sampling, Scoring


def run(
    strategy: Strategy,
    selection: Selection,
    problems: Iterable[Problem | None],
    policy: Policy,
    prm: Callable[[], PRM],
    budget: Budget,
    seed: int,
) -> Iterator[Outcome]:
    """Search every problem; outcomes come in the order in which the searches end.

    problems: asked for one as long as the policy has room; None for now means that the engines work first.
    prm: called once, when something has to be scored for the first time. What a search comes to depends on the seed and
    its problem alone: not on the other problems, their order, or the capacity of the engines.
    """
    load = cache(prm)
    arrivals = iter(problems)
    sampling: Lane[Running[Any], Continue, Continued] = Lane(lambda: policy)
    scoring: Lane[Running[Any], Judge, Judged] = Lane(load)
    joins = Joins()

    def advance(running: Running[Any], results: list[Any] | None) -> Iterator[Outcome]:
        """Send a search the results it waits for; queue the wave it asks for next, or yield its outcome.

        An error in one of several side by side ends all of them.
        """
        try:
            wave = next(running) if results is None else running.send(results)
        except StopIteration as end:
            if running not in joins:
                yield end.value
            elif (joined := joins.end(running, end.value)) is not None:
                yield from advance(*joined)
            return
        except BaseException:
            joins.close(running)
            raise
        if isinstance(wave, Sampling):
            sampling.add(running, wave.requests)
        elif isinstance(wave, Scoring):
            scoring.add(running, wave.requests)
        else:
            joins.add(running, wave.branches)
            for branch in wave.branches:
                yield from advance(branch, None)

    while True:
        while len(sampling) < policy.capacity and (problem := next(arrivals, None)) is not None:
            execution = Execution(problem, policy, load, budget, seed)
            yield from advance(execution.run(strategy.search(problem), selection.reads_scores), None)
        # While the policy is full the PRM waits for a full batch; with room in the policy, scores are what fills it.
        ready: list[tuple[Running[Any], list[Any]]] = []
        asked = len(scoring)
        if not scoring and not sampling:
            return
        if scoring and (len(sampling) < policy.capacity or asked >= load().capacity):
            ready += scoring.step()
        if sampling and len(scoring) == asked:  # a PRM that works by itself may have nothing yet
            ready += sampling.step()
        for running, results in ready:
            yield from advance(running, results)
