"""Problems -> records, in this process, with one policy and one PRM."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache

from omegaconf import DictConfig

from ttcs.config.components import build, share
from ttcs.core import PRM, Problem
from ttcs.records.grade import grade
from ttcs.records.record import Record
from ttcs.search.clock import Clock
from ttcs.search.scheduler import run

METHOD = "strategy", "selection", "reduction", "budget", "answer"


def session(config: DictConfig, problems: Iterable[Problem | None], seconds: float) -> Iterator[Record]:
    """Search and grade the problems; records come as searches end. The policy is loaded before this returns.

    problems: see `scheduler.run`. seconds: the clock of the run so far.
    """
    strategy, selection, reduction, budget, answering = (build(config, key) for key in METHOD)
    policy = share(config, "policy")
    policy.reset()
    clock = Clock(seconds)
    load = loader(config, clock)
    settings = budget, config.seed, config.open, config.ahead, answering
    outcomes = run(strategy, selection, problems, policy, load, *settings)
    return (grade(outcome, selection, reduction, clock.seconds(), answering) for outcome in outcomes)


def loader(config: DictConfig, clock: Clock) -> Callable[[], PRM]:
    """The PRM, which is loaded on the first call, while the clock stands still."""

    @cache
    def load() -> PRM:
        with clock.stopped():
            loaded: PRM = share(config, "prm")
            loaded.reset()
            return loaded

    return load
