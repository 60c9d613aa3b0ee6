"""What every strategy that draws until it is enough promises, whatever the rule: new yamls come under it unedited."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from tests.simulation import CONF, PROBLEMS, STRATEGIES, configured, simulate
from ttcs.choice.selection import Majority
from ttcs.core import Strategy, Trajectory
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.search.execution import Outcome

RULES = sorted(file.stem for file in (CONF / "stopping").glob("*.yaml"))
ADAPTIVE = sorted(name for name in STRATEGIES if name.startswith("adaptive_"))
AHEAD = 0, 4, None


@cache
def made(name: str, rule: str) -> Strategy:
    return configured(name, f"stopping={rule}", "n=16")


@cache
def found(name: str, rule: str, ahead: int | None) -> dict[str, Outcome]:
    """Where something runs ahead, by an engine with little room that answers out of order."""
    engine: dict[str, Any] = {} if ahead == 0 else {"capacity": 5, "pace": 4, "shuffle": True}
    policy = ScriptedPolicy(accuracy=[0.95] * 5, **engine)
    return simulate(made(name, rule), problems=PROBLEMS[:4], selection=Majority(), policy=policy, ahead=ahead)


def written(candidate: Trajectory) -> tuple[Any, ...]:
    return candidate.subtree, [(step.node, step.tokens, step.text, step.stop) for step in candidate.steps]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ADAPTIVE)
def test_the_candidates_are_the_first_ones_of_what_never_stops(name: str, rule: str) -> None:
    """But for scores, which not every rule asks for."""
    never, stopped = found(name, "never", 0), found(name, rule, 0)
    for id, outcome in stopped.items():
        drawn = [written(candidate) for candidate in outcome.candidates]
        assert drawn and drawn == [written(candidate) for candidate in never[id].candidates[: len(drawn)]]
        assert outcome.adaptive
    saved = sum(len(never[id].candidates) - len(outcome.candidates) for id, outcome in stopped.items())
    assert (saved > 0) == (rule != "never")


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ADAPTIVE)
def test_what_runs_ahead_changes_nothing_that_is_found(name: str, rule: str) -> None:
    results = [
        {id: (outcome.candidates, outcome.tree) for id, outcome in found(name, rule, ahead).items()} for ahead in AHEAD
    ]
    assert results[0] == results[1] == results[2]


def test_there_are_such_strategies_and_rules() -> None:
    assert len(ADAPTIVE) >= 4 and len(RULES) >= 8
