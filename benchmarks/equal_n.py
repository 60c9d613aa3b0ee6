"""G4: searches with a PRM against best-of-N with the same n, whose candidates the PRM reads too."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks import zoo
from benchmarks.harness import Effort, Limit, Result, compare, interleaved, side

GOAL = Limit(1.4)


def measure(effort: Effort) -> Iterator[Result]:
    tasks = zoo.problems(effort.problems)
    names = "best_of_n", "beam_search", "dvts"
    strategies = {name: zoo.strategy(name, effort.n) for name in names}
    ways = {name: partial(zoo.search, strategies[name], tasks, zoo.policy(), zoo.prm()) for name in names}
    runs = interleaved(ways, effort.runs)
    sides = {name: side(runs[name], zoo.counters(runs[name][0].value)) for name in names}
    for name in names[1:]:
        wall, cpu = compare(runs[name], runs["best_of_n"])
        pair = {name: sides[name], "best_of_n": sides["best_of_n"]}
        yield Result("G4", f"{name} / best_of_n, n = {effort.n}", wall, GOAL, cpu, pair)
