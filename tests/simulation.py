"""The scripted pair at work: what the tests of the scheduler and of the strategies share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir

from ttcs.choice.selection import Best
from ttcs.config.components import build
from ttcs.config.identity import register_resolvers
from ttcs.core import (
    Append,
    Continue,
    Continued,
    Judge,
    Judged,
    ModelSize,
    Parallel,
    Problem,
    Sample,
    Score,
    Search,
    Selection,
    Step,
    Strategy,
    Trajectory,
)
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.prms.scripted import ScriptedPRM
from ttcs.search.budget import Budget
from ttcs.search.execution import Outcome
from ttcs.search.scheduler import run

CONF = Path(__file__).parents[1] / "conf"


def configured(name: str, *overrides: str) -> Strategy:
    """A strategy as its yaml has it, at n = 8: a new yaml comes under the contract by being there.

    One that steers thinking gets budgets that even small policies have room for.
    """
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("config", [f"strategy={name}", *(overrides or ("n=8",))])
        if "thinking" in config.strategy:
            config.strategy.thinking, config.strategy.answer = 80, 30
        strategy: Strategy = build(config, "strategy")
        return strategy


register_resolvers()
STRATEGIES = {path.stem: configured(path.stem) for path in sorted((CONF / "strategy").glob("*.yaml"))}
PROBLEMS = [Problem(f"p{i}", f"What is {i} and {i}?", str(2 * i), level=i % 5 + 1) for i in range(12)]


def simulate(
    strategy: Strategy,
    *,
    selection: Selection | None = None,
    problems: Sequence[Problem] = PROBLEMS,
    policy: Any = None,
    prm: Any = None,
    budget: Budget | None = None,
    seed: int = 0,
    ahead: int | None = 0,
) -> dict[str, Outcome]:
    """Problem id -> outcome."""
    prm = prm or ScriptedPRM()
    outcomes = run(
        strategy,
        selection or Best(),
        problems,
        policy or ScriptedPolicy(),
        lambda: prm,
        budget or Budget(),
        seed,
        ahead=ahead,
    )
    return {outcome.problem.id: outcome for outcome in outcomes}


def one(strategy: Strategy, **settings: Any) -> Outcome:
    """The outcome of a single problem."""
    (outcome,) = simulate(strategy, problems=PROBLEMS[4:5], **settings).values()
    return outcome


def comparable(outcomes: dict[str, Outcome]) -> dict[str, tuple[Any, ...]]:
    """All but the clock."""
    return {
        name: (outcome.candidates, outcome.tree, asdict(outcome.ledger) | {"seconds": None})
        for name, outcome in outcomes.items()
    }


def unscored(trajectory: Trajectory) -> Trajectory:
    return replace(trajectory, steps=tuple(replace(step, score=None) for step in trajectory.steps))


@dataclass
class Recorded:
    """A strategy together with a log of its requests, and of the searches that it runs side by side, and what came
    back."""

    strategy: Strategy
    log: list[tuple[Sample | Score | Append, tuple[Trajectory, ...]]] = field(default_factory=list)

    def search(self, problem: Problem) -> Search:
        return self.recorded(self.strategy.search(problem))

    def recorded(self, inner: Search) -> Search:
        try:
            request = next(inner)
            while True:
                if isinstance(request, Parallel):
                    reply = yield replace(request, searches=tuple(map(self.recorded, request.searches)))
                else:
                    reply = yield request
                    self.log.append((request, reply))
                request = inner.send(reply)
        except StopIteration as end:
            candidates: tuple[Trajectory, ...] = end.value
            return candidates


@dataclass
class CountingPolicy:
    """Keeps what went in and what came out."""

    inner: ScriptedPolicy = field(default_factory=ScriptedPolicy)
    asked: dict[int, Continue] = field(default_factory=dict)
    given: dict[int, Continued] = field(default_factory=dict)
    cancelled: dict[int, Continued | None] = field(default_factory=dict)
    steps: int = 0

    def __post_init__(self) -> None:
        self.size: ModelSize = self.inner.size
        self.cache_tokens = self.inner.cache_tokens
        self.capacity = self.inner.capacity
        self.max_tokens = self.inner.max_tokens

    def add(self, ticket: int, request: Continue) -> None:
        self.asked[ticket] = request
        self.inner.add(ticket, request)

    def step(self) -> list[tuple[int, Continued]]:
        self.steps += 1
        done = self.inner.step()
        self.given |= dict(done)
        return done

    def cancel(self, ticket: int) -> Continued | None:
        result = self.inner.cancel(ticket)
        self.cancelled[ticket] = result
        return result

    def append(self, text: str | None, cut: bool) -> tuple[Step, ...]:
        return self.inner.append(text, cut)


@dataclass
class CountingPRM:
    inner: ScriptedPRM = field(default_factory=ScriptedPRM)
    asked: dict[int, Judge] = field(default_factory=dict)
    given: dict[int, Judged] = field(default_factory=dict)
    batches: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.size: ModelSize = self.inner.size
        self.cache_tokens = self.inner.cache_tokens
        self.capacity = self.inner.capacity

    def add(self, ticket: int, request: Judge) -> None:
        self.asked[ticket] = request
        self.inner.add(ticket, request)

    def step(self) -> list[tuple[int, Judged]]:
        done = self.inner.step()
        self.batches.append(len(done))
        self.given |= dict(done)
        return done
