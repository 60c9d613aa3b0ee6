"""The zoo's policy, PRM, strategies and problems, as the configuration builds them, and searches over them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from ttcs.config.components import share
from ttcs.config.identity import register_resolvers
from ttcs.config.options import CONF
from ttcs.core import PRM, Policy, Problem, Selection, Strategy
from ttcs.search.budget import Budget
from ttcs.search.execution import Outcome
from ttcs.search.scheduler import run

register_resolvers()


def configured(*overrides: str) -> DictConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", list(overrides))


@cache
def part(key: str, *overrides: str) -> Any:
    """A component of the configuration, built once, and the same one that a run in this process has."""
    return share(configured(*overrides), key)


def strategy(name: str, n: int) -> Strategy:
    built: Strategy = part("strategy", f"strategy={name}", f"n={n}")
    return built


def selection() -> Selection:
    """The default one, which reads scores: best-of-N has the PRM read all of its candidates."""
    built: Selection = part("selection")
    return built


def policy() -> Any:
    return part("policy")


def prm(*overrides: str) -> Any:
    return part("prm", *overrides)


def problems(count: int) -> list[Problem]:
    """The first problems of the test set."""
    return list(part("dataset", f"dataset.limit={count}"))


def search(how: Strategy, tasks: Sequence[Problem], policy: Policy, prm: PRM) -> list[Outcome]:
    """All problems through the scheduler, caches empty at first; in the order of the problems."""
    policy.reset()
    prm.reset()
    outcomes = {o.problem.id: o for o in run(how, selection(), tasks, policy, lambda: prm, Budget(), seed=0)}
    return [outcomes[problem.id] for problem in tasks]


def counters(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """What the searches decoded and computed, in all."""
    fields = "decoded_tokens", "prm_tokens", "policy_calls", "prm_calls"
    return {name: sum(getattr(outcome.ledger, name) for outcome in outcomes) for name in fields}
