"""Searches that advance together, the way of search-and-learn (Beeching et al., 2024); see docs/performance.md.

All searches of a group get their samples before any is scored, and their scores before any goes on, so the slowest is
waited for at every depth. Seeds are those of the scheduler, so the same strategy comes to the same outcomes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ttcs.core import PRM, Policy, Problem, Selection, Strategy
from ttcs.search.budget import Budget
from ttcs.search.execution import Execution, Outcome
from ttcs.search.lane import Lane
from ttcs.search.waves import Branching, Closing, Drawing, Reading, Running, Sampling, Scoring

Wave = Sampling | Scoring
Search = Running[Outcome]
Waves = list[tuple[Search, Wave]]


def run(
    strategy: Strategy,
    selection: Selection,
    problems: Sequence[Problem],
    policy: Policy,
    prm: PRM,
    seed: int,
    group: int,
) -> list[Outcome]:
    """In the order of the problems. group: how many of them advance together."""
    found: dict[str, Outcome] = {}
    for first in range(0, len(problems), group):
        searches = [
            Execution(problem, policy, lambda: prm, Budget(), seed, in_step=True).run(
                strategy.search(problem), selection.reads_scores
            )
            for problem in problems[first : first + group]
        ]
        found |= {outcome.problem.id: outcome for outcome in together(searches, policy, prm)}
    return [found[problem.id] for problem in problems]


def together(searches: Sequence[Search], policy: Policy, prm: PRM) -> list[Outcome]:
    ended: list[Outcome] = []
    waves: Waves = []
    for search in searches:
        advance(search, None, waves, ended)
    while waves:
        for kind, engine in ((Sampling, policy), (Scoring, prm)):
            asked, waves = [w for w in waves if type(w[1]) is kind], [w for w in waves if type(w[1]) is not kind]
            for search, results in answered(engine, asked):
                advance(search, results, waves, ended)
    return ended


def answered(engine: Policy | PRM, waves: Waves) -> list[tuple[Search, list[Any]]]:
    """The results of all waves, once the last is complete."""
    lane: Lane[Search, Any, Any] = Lane(lambda: engine)
    for search, wave in waves:
        lane.add(search, wave.requests)
    complete: list[tuple[Search, list[Any]]] = []
    while lane:
        complete += lane.step()
    return complete


def advance(search: Search, results: list[Any] | None, waves: Waves, ended: list[Outcome]) -> None:
    try:
        wave = next(search) if results is None else search.send(results)
        while isinstance(wave, Reading | Closing):  # nothing runs ahead that there would be to end
            wave = search.send(wave.read() if isinstance(wave, Reading) else [])
        if isinstance(wave, Drawing):
            wave.stream.requests += wave.requests
            wave = Sampling(wave.requests)
        assert not isinstance(wave, Branching)  # what a search runs side by side advances together
        waves.append((search, wave))
    except StopIteration as end:
        ended.append(end.value)
