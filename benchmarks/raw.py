"""G3: a search against the bare engine that decodes as many tokens, without steps, scores or choices.

The bare engine is the policy's own class with the same weights, batch and cache. It decodes n sequences a problem from
the prompt, the i-th as long as all the steps together that the search sampled i-th at their depths: as many tokens, in
as many rows, in one go. Nothing stops it earlier.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import zoo
from benchmarks.harness import Effort, Limit, Result, Spread, compare, interleaved, side
from benchmarks.lengths import endless
from ttcs.core import Continue, Problem, Trajectory
from ttcs.search.execution import Outcome

GOAL = Limit(1.25)
Lengths = Mapping[Problem, Sequence[int]]


class Watched:
    """An engine, and the processor time spent in it."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.size, self.capacity, self.cache_tokens = engine.size, engine.capacity, engine.cache_tokens
        self.max_tokens: int = getattr(engine, "max_tokens", 0)  # a PRM has none
        self.add, self.reset = engine.add, engine.reset
        self.cpu = 0.0

    def step(self) -> Any:
        started = time.process_time()
        done = self._engine.step()
        self.cpu += time.process_time() - started
        return done


def lengths(outcomes: Sequence[Outcome], n: int) -> Lengths:
    """Problem -> tokens of its n sequences."""
    found: dict[Problem, list[int]] = {}
    for outcome in outcomes:
        depths: dict[int | None, int] = {None: 0}
        slots: dict[int, int] = defaultdict(int)  # depth -> steps seen at it
        found[outcome.problem] = [0] * n
        for node in outcome.tree:
            depth = depths[node.step.node] = depths[node.parent] + 1
            found[outcome.problem][slots[depth]] += len(node.step.tokens)
            slots[depth] += 1
    return found


def generate(policy: Any, wanted: Lengths) -> int:
    """Tokens decoded."""
    policy.reset()
    tickets = 0
    for problem, counts in wanted.items():
        for count in filter(None, counts):
            policy.add(tickets, Continue(Trajectory(problem), None, count, None, seed=tickets))
            tickets += 1
    decoded = done = 0
    while done < tickets:
        for _, result in policy.step():
            decoded += sum(len(step.tokens) for step in result.steps)
            done += 1
    return decoded


@dataclass(frozen=True, slots=True)
class Searched:
    outcomes: Sequence[Outcome]
    policy: float  # CPU seconds
    prm: float


def measure(effort: Effort) -> Iterator[Result]:
    tasks = zoo.problems(effort.problems)
    strategy = zoo.strategy("dvts", effort.n)
    wanted = lengths(zoo.search(strategy, tasks, zoo.policy(), zoo.prm()), effort.n)
    bare = endless()

    def searched() -> Searched:
        policy, prm = Watched(zoo.policy()), Watched(zoo.prm())
        return Searched(zoo.search(strategy, tasks, policy, prm), policy.cpu, prm.cpu)

    ways: dict[str, Callable[[], Any]] = {"DVTS": searched, "raw": lambda: generate(bare, wanted)}
    runs = interleaved(ways, effort.runs)
    wall, cpu = compare(runs["DVTS"], runs["raw"])
    decoded = runs["raw"][0].value
    counters = zoo.counters(runs["DVTS"][0].value.outcomes)
    assert counters["decoded_tokens"] == decoded, (counters, decoded)
    sides = {"DVTS": side(runs["DVTS"], counters), "raw": side(runs["raw"], {"decoded_tokens": decoded})}
    yield Result("G3", f"DVTS, n = {effort.n} / raw engine, same tokens", wall, GOAL, cpu, sides)
    pairs = list(zip(runs["DVTS"], runs["raw"], strict=True))
    shares = {
        "its policy": [a.value.policy / b.cpu for a, b in pairs],
        "its PRM": [a.value.prm / b.cpu for a, b in pairs],
        "its search": [(a.cpu - a.value.policy - a.value.prm) / b.cpu for a, b in pairs],
    }
    for name, share in shares.items():
        yield Result("G3", f"of that, {name} / raw engine (CPU time)", Spread.of(share), None)
