"""Whole searches with both engines, on vLLM and on transformers, and the command that a user types."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.vllm.conftest import ENGINES
from ttcs import __main__ as command
from ttcs.choice.reduction import last
from ttcs.choice.selection import Weighted
from ttcs.core import PRM, Policy, Problem, Strategy
from ttcs.policies.transformers import TransformersPolicy
from ttcs.policies.vllm import VLLMPolicy
from ttcs.prms.transformers import TransformersPRM
from ttcs.prms.vllm import VLLMPRM
from ttcs.search.budget import Budget
from ttcs.search.execution import Outcome
from ttcs.search.scheduler import run
from ttcs.strategies.beam_search import BeamSearch
from ttcs.strategies.best_of_n import BestOfN
from ttcs.strategies.dvts import DVTS
from ttcs.strategies.greedy import Greedy
from ttcs.strategies.lookahead import Lookahead

STRATEGIES = [
    Greedy(),
    BestOfN(4),
    BeamSearch(8, 4, 40, last),
    DVTS(8, 4, 40, last),
    Lookahead(4, 2, 40, last, 2),
]


def outcomes(strategy: Strategy, policy: Policy, prm: PRM, problems: tuple[Problem, ...]) -> dict[str, Outcome]:
    policy.reset()
    prm.reset()
    found = run(strategy, Weighted(), problems, policy, lambda: prm, Budget(), 0)
    return {outcome.problem.id: outcome for outcome in found}


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: type(strategy).__name__)
def test_at_temperature_0_the_trees_are_the_same(
    strategy: Strategy,
    policy: VLLMPolicy,
    prm: VLLMPRM,
    plain_policy: TransformersPolicy,
    plain_prm: TransformersPRM,
    problems: tuple[Problem, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for engine in (policy, plain_policy):
        monkeypatch.setattr(engine, "temperature", 0.0)
    ours = outcomes(strategy, policy, prm, problems)
    theirs = outcomes(strategy, plain_policy, plain_prm, problems)
    assert ours.keys() == theirs.keys() == {problem.id for problem in problems}
    for name, outcome in ours.items():
        other = theirs[name]
        assert [len(candidate.steps) for candidate in outcome.candidates] == [
            len(candidate.steps) for candidate in other.candidates
        ]
        for node, twin in zip(outcome.tree, other.tree, strict=True):
            assert (node.parent, replace(node.step, score=None)) == (twin.parent, replace(twin.step, score=None))
            assert node.step.score == pytest.approx(twin.step.score, abs=1e-4)
        assert outcome.ledger.decoded_tokens == other.ledger.decoded_tokens
        assert outcome.ledger.generations == other.ledger.generations


def test_both_count_flops_alike(
    policy: VLLMPolicy, prm: VLLMPRM, plain_policy: TransformersPolicy, plain_prm: TransformersPRM
) -> None:
    assert (policy.size, prm.size) == (plain_policy.size, plain_prm.size)


@pytest.fixture
def main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Runs `python -m ttcs` in this process; the folder of the run."""
    monkeypatch.chdir(tmp_path)

    def ran(*arguments: str) -> Path:
        monkeypatch.setattr(sys, "argv", ["ttcs", *arguments, "hydra.run.dir=out"])
        command.main()
        return tmp_path / "out"

    return ran


def test_the_command(policy: VLLMPolicy, prm: VLLMPRM, main: Callable[..., Path]) -> None:
    folder = main(*ENGINES, "strategy=dvts", "n=64", "dataset.limit=4")
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["n_problems"], summary["strategy"]) == (4, "dvts")
    ledger = summary["ledger"]
    assert 0 < ledger["cached_tokens"] < ledger["prompt_tokens"]
    assert 0 < ledger["prm_tokens"] < ledger["prm_cached_tokens"]
    assert (folder / "accuracy.png").exists()
