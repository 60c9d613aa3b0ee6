"""What every strategy promises, whatever it does."""

from __future__ import annotations

import ast
import sys
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.simulation import PROBLEMS, STRATEGIES, CountingPRM, Recorded, comparable, one, simulate, unscored
from ttcs.choice import reduction
from ttcs.choice.selection import Best, Majority
from ttcs.core import Sample, Stop
from ttcs.errors import UserError
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.prms.scripted import ScriptedPRM
from ttcs.strategies.beam_search import BeamSearch
from ttcs.strategies.best_of_n import BestOfN
from ttcs.strategies.dvts import DVTS
from ttcs.strategies.lookahead import Lookahead

FILES = sorted((Path(__file__).parents[2] / "ttcs" / "strategies").glob("*.py"))
# They keep to limits of their own.
STEERED = "adaptive_forcing", "budget_forcing", "probing", "rejection_sampling", "step_conditional"
every = pytest.mark.parametrize("name", STRATEGIES)


@every
def test_at_most_n_candidates_each_a_path_in_the_tree(name: str) -> None:
    for outcome in simulate(STRATEGIES[name]).values():
        assert 1 <= len(outcome.candidates) <= getattr(STRATEGIES[name], "n", 1)
        nodes = {node.step.node: node for node in outcome.tree}
        for candidate in outcome.candidates:
            assert candidate.problem == outcome.problem
            parents = [None, *(step.node for step in candidate.steps)]
            assert [nodes[step.node].parent for step in candidate.steps] == parents[:-1]
            assert [nodes[step.node].step for step in candidate.steps] == list(candidate.steps)


@every
def test_candidates_are_distinct(name: str) -> None:
    leaves = [candidate.steps[-1].node for candidate in one(STRATEGIES[name]).candidates]
    assert len(set(leaves)) == len(leaves)


@every
def test_finished_candidates_come_scored_if_the_selection_reads_scores_and_has_a_choice(name: str) -> None:
    outcome = one(STRATEGIES[name], selection=Best())
    finished = [candidate for candidate in outcome.candidates if candidate.finished]
    assert (len(finished) > 1) == (name not in ("greedy", "rejection_sampling"))
    assert all(candidate.scored == (len(finished) > 1) for candidate in finished)


@every
def test_the_seed_decides(name: str) -> None:
    first, again, other = (comparable(simulate(STRATEGIES[name], seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert (first == other) == (name == "greedy")


@every
def test_the_tree_does_not_depend_on_the_selection(name: str) -> None:
    texts = [
        [(node.parent, node.step.text) for node in one(STRATEGIES[name], selection=selection).tree]
        for selection in (Best(), Majority())
    ]
    assert texts[0] == texts[1]


@every
def test_no_step_is_judged_twice(name: str) -> None:
    prm = CountingPRM()
    simulate(STRATEGIES[name], problems=PROBLEMS[:4], prm=prm)
    judged = [
        (judge.trajectory.problem.id, step.node)
        for judge in prm.asked.values()
        for step in judge.trajectory.steps[-1:]
        if step.score is None
    ]
    assert len(judged) == len(set(judged)) == len(prm.asked)


@every
def test_scores_are_those_of_the_whole_judged_afresh(name: str) -> None:
    for outcome in simulate(STRATEGIES[name], problems=PROBLEMS[:4]).values():
        for candidate in outcome.candidates:
            fresh = unscored(candidate)
            afresh = ScriptedPRM().judged(replace(fresh, steps=fresh.judged)).scores
            alone = name in ("greedy", "rejection_sampling")
            assert not candidate.finished or candidate.scores == (() if alone else afresh)


@every
def test_what_was_cut_off_is_no_answer(name: str) -> None:
    policy = ScriptedPolicy(min_depth=20, max_depth=30, max_tokens=100)
    if name in STEERED:
        with pytest.raises(UserError, match=r"may need \d+ tokens more, but policy.max_tokens=100 leaves \d+$"):
            simulate(STRATEGIES[name], policy=policy, problems=PROBLEMS[:3])
        return
    for outcome in simulate(STRATEGIES[name], policy=policy, problems=PROBLEMS[:3]).values():
        assert any(node.step.stop is Stop.LENGTH for node in outcome.tree)
        assert not any(candidate.finished for candidate in outcome.candidates)
        assert name not in ("beam_search", "lookahead") or outcome.candidates == ()


@every
def test_what_a_limit_cut_off_is_not_judged(name: str) -> None:
    """But for rollouts, which tell of where they began."""
    strategy, prm = Recorded(STRATEGIES[name]), CountingPRM()
    policy = ScriptedPolicy(min_depth=6, max_depth=9, max_tokens=150, step_tokens=25)
    simulate(strategy, problems=PROBLEMS[:3], policy=policy, prm=prm)
    sampled = [(request, reply) for request, reply in strategy.log if isinstance(request, Sample)]
    rollouts = {one.text for request, reply in sampled if request.lookahead for one in reply}
    assert name in STEERED or any(one.cut_off for request, reply in sampled if not request.lookahead for one in reply)
    assert all(asked.trajectory.text in rollouts for asked in prm.asked.values() if asked.trajectory.cut_off)


@every
def test_what_is_too_long_for_the_prm_ends_there_and_nothing_else_does(name: str) -> None:
    outcomes = simulate(STRATEGIES[name], prm=ScriptedPRM(context=90)).values()
    read = sum(outcome.ledger.prm_calls for outcome in outcomes)
    assert name in STEERED or (sum(outcome.ledger.unread for outcome in outcomes) > 0) == (read > 0)
    for outcome in outcomes:
        assert outcome.prm_limit == (90 if outcome.ledger.unread else None)
        parents = {node.parent for node in outcome.tree if node.parent is not None}
        ended = [node.step for node in outcome.tree if node.step.stop is Stop.LENGTH]
        assert all(step.score is None and step.node not in parents for step in ended)
        finished = [candidate for candidate in outcome.candidates if candidate.finished]
        assert len(finished) < 2 or all(candidate.scored for candidate in finished)
        assert len(ended) <= outcome.ledger.unread


@every
def test_values_are_frozen(name: str) -> None:
    strategy: Any = STRATEGIES[name]
    assert is_dataclass(strategy)
    for field in fields(strategy):
        with pytest.raises(FrozenInstanceError):
            setattr(strategy, field.name, None)


@pytest.mark.parametrize("strategy", [BeamSearch, DVTS])
@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((6, 4, 40), "n=6 is not a multiple of width=4"),
        ((0, 4, 40), "n=0 is less than 1"),
        ((4, 0, 40), "width=0 is less than 1"),
        ((4, 4, 0), "max_steps=0 is less than 1"),
    ],
)
def test_sizes_are_checked_once(strategy: Any, sizes: tuple[int, int, int], message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}$"):
        strategy(*sizes, reduction.last)
    n, width, max_steps = sizes
    with pytest.raises(UserError, match=f"^{message}$"):
        Lookahead(n, width, max_steps, reduction.last, 1)


def test_other_sizes_are_checked() -> None:
    with pytest.raises(UserError, match=r"^n=0 is less than 1$"):
        BestOfN(0)
    with pytest.raises(UserError, match=r"^k=-1 is less than 0$"):
        Lookahead(4, 4, 40, reduction.last, -1)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_strategy_imports_the_nouns_and_the_standard_library_only(file: Path) -> None:
    allowed = {"ttcs.core", "ttcs.errors"}
    for node in ast.walk(ast.parse(file.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            mine = name in allowed or name.startswith("ttcs.strategies.")
            assert mine or name.split(".")[0] in sys.stdlib_module_names, f"{file.name} imports {name}"
