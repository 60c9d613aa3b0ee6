"""A few samples tell the difficulty, the table the strategy; both are charged, and both are candidates."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import InstantiationException

from tests.simulation import CONF, CountingPolicy, CountingPRM, one, simulate
from ttcs.choice import reduction
from ttcs.choice.optimal import SCHEMA, Table, load
from ttcs.config.components import build
from ttcs.core import Strategy
from ttcs.errors import UserError, told
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.search.budget import Budget
from ttcs.strategies.beam_search import BeamSearch
from ttcs.strategies.best_of_n import BestOfN
from ttcs.strategies.compute_optimal import ComputeOptimal
from ttcs.strategies.dvts import DVTS
from ttcs.strategies.greedy import Greedy

LAST = {"_target_": "ttcs.choice.reduction.last", "_partial_": True}
METHODS: dict[str, dict[str, Any]] = {
    "greedy": {"_target_": "ttcs.strategies.greedy.Greedy"},
    "weighted": {"_target_": "ttcs.strategies.best_of_n.BestOfN", "n": None},
    "beam_search": {
        "_target_": "ttcs.strategies.beam_search.BeamSearch",
        "n": None,
        "width": 4,
        "max_steps": 40,
        "rank": LAST,
    },
}
# (n, bin) -> method
CHOICE = {(1, 1): "greedy", (4, 1): "weighted", (16, 1): "weighted", (1, 2): "weighted", (4, 2): "beam_search"}


def content(**changes: Any) -> dict[str, Any]:
    cells = [
        {"n": n, "bin": bin_, "method": method, "problems": 9, "accuracy": {}} for (n, bin_), method in CHOICE.items()
    ]
    bins = [{"bin": 1, "at_least": 0.6, "problems": 9}, {"bin": 2, "at_least": None, "problems": 9}]
    fitted = {"schema": SCHEMA, "policy": "some/policy", "prm": "some/prm", "difficulty": "predicted", "samples": 4}
    return {**fitted, "bins": bins, "methods": METHODS, "cells": cells, **changes}


def table(folder: Path, **changes: Any) -> Table:
    file = folder / "table.json"
    file.write_text(json.dumps(content(**changes)))
    return load(str(file), "some/policy", "some/prm")


@dataclass
class Asked:
    """A table with one answer, and what it was asked."""

    inner: Strategy
    log: list[tuple[float, int]] = field(default_factory=list)

    def check(self, samples: int, n: int) -> None: ...

    def choose(self, difficulty: float, n: int) -> Strategy:
        self.log.append((difficulty, n))
        return self.inner


def test_the_difficulty_is_the_mean_final_score_of_the_first_samples() -> None:
    asked = Asked(BestOfN(6))
    outcome = one(ComputeOptimal(10, 4, asked))
    finals = [sample.scores[-1] for sample in one(BestOfN(4)).candidates]
    assert asked.log == [(pytest.approx(sum(finals) / 4), 6)]
    assert outcome.candidates[:4] == one(BestOfN(4)).candidates  # the samples of a best-of-N, and they stay candidates
    assert len(outcome.candidates) == 10


def test_everything_is_charged_once() -> None:
    policy, prm = CountingPolicy(ScriptedPolicy(min_depth=3, max_depth=3)), CountingPRM()
    ledger = one(ComputeOptimal(10, 4, Asked(BestOfN(6))), policy=policy, prm=prm).ledger
    assert (ledger.generations, ledger.prm_calls, len(prm.asked)) == (10, 10, 10)
    assert ledger.decoded_tokens == sum(len(step.tokens) for result in policy.given.values() for step in result.steps)
    assert ledger.discarded_tokens == 0


def test_without_a_finished_sample_a_problem_is_as_hard_as_can_be() -> None:
    asked = Asked(Greedy())
    outcome = one(ComputeOptimal(5, 4, asked), policy=ScriptedPolicy(min_depth=20, max_depth=30, max_tokens=60))
    assert asked.log == [(0.0, 1)]
    assert len(outcome.candidates) == 5


def test_no_subtree_of_it_is_a_smaller_run() -> None:
    candidates = one(ComputeOptimal(12, 4, Asked(DVTS(8, 4, 40, reduction.last)))).candidates
    assert len(candidates) == 12 and all(candidate.subtree is None for candidate in candidates)


@pytest.mark.parametrize("generations", [0, 3, 4, 7])
def test_a_budget_may_end_it_at_any_time(generations: int) -> None:
    outcome = one(ComputeOptimal(12, 4, Asked(BestOfN(8))), budget=Budget(generations=generations))
    assert outcome.ledger.generations == len(outcome.candidates) == generations


def test_easy_and_hard_problems_get_what_the_table_says(tmp_path: Path) -> None:
    strategy = ComputeOptimal(8, 4, table(tmp_path))
    for name, outcome in simulate(strategy).items():
        finals = [sample.scores[-1] for sample in outcome.candidates[:4]]
        hard = sum(finals) / 4 < 0.6
        stepwise = any(node.parent is not None and node.step.node > node.parent + 1 for node in outcome.tree)
        assert stepwise == hard, name


def test_the_choice_is_by_the_thresholds_and_the_nearest_smaller_n(tmp_path: Path) -> None:
    fitted = table(tmp_path)
    assert fitted.choose(0.6, 4) == BestOfN(4)
    assert fitted.choose(0.6, 15) == BestOfN(15)  # the cell of n = 4, with all that is left
    assert fitted.choose(0.6, 3) == Greedy()
    assert fitted.choose(0.59, 3) == BestOfN(3)
    assert fitted.choose(0.59, 4) == fitted.choose(0.59, 7) == BeamSearch(4, 4, 40, reduction.last)  # whole widths
    assert fitted.choose(-1.0, 16) == BeamSearch(16, 4, 40, reduction.last)


def test_a_budget_is_not_spent_where_less_did_better(tmp_path: Path) -> None:
    sizes = {4: 4, 8: 4, 16: 4}
    cells = [
        {"n": n, "bin": bin_, "method": "beam_search", "size": size, "problems": 9, "accuracy": {}}
        for n, size in sizes.items() for bin_ in (1, 2)
    ]  # fmt: skip
    fitted = table(tmp_path, cells=cells)
    four = BeamSearch(4, 4, 40, reduction.last)
    assert [fitted.choose(0.6, n) for n in (4, 8, 11, 16, 64)] == [four] * 5
    assert len(one(ComputeOptimal(20, 4, fitted)).candidates) == 8
    with pytest.raises(UserError, match=r"is not a compute-optimal table .*size=32 is not one of 1 to 16"):
        table(tmp_path, cells=[{**cells[-1], "bin": 1, "size": 32}, cells[-1]])


@pytest.mark.parametrize(
    ("n", "samples", "message"),
    [
        (4, 4, "n=4 leaves 0 after 4 samples; .*table.json begins at 1"),
        (8, 2, "strategy.samples=2, but the bins of .*table.json are those of the mean over 4"),
        (8, 0, "samples=0 is less than 1"),
    ],
)
def test_sizes_that_do_not_fit_the_table(tmp_path: Path, n: int, samples: int, message: str) -> None:
    with pytest.raises(UserError, match=message):
        ComputeOptimal(n, samples, table(tmp_path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": "other"}, "has the schema other, not ttcs.compute_optimal/1"),
        ({"difficulty": "oracle"}, "was fitted to oracle bins, which a search cannot know"),
        ({"policy": "another"}, "fitted for the policy another, not some/policy: .*strategy.table.policy=null"),
        ({"prm": "another"}, "fitted for the prm another, not some/prm"),
        ({"cells": []}, "is not a compute-optimal table .*bin 1 has no cells"),
        ({"methods": {}}, "is not a compute-optimal table .*KeyError: 'greedy'"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        table(tmp_path, **changes)


def test_a_file_that_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent.json cannot be read: No such file"):
        load(str(tmp_path / "absent.json"))
    (tmp_path / "torn.json").write_text("{")
    with pytest.raises(UserError, match=r"torn.json is not a compute-optimal table"):
        load(str(tmp_path / "torn.json"))


def test_a_table_of_other_models_can_be_asked_for(tmp_path: Path) -> None:
    table(tmp_path)
    assert load(str(tmp_path / "table.json")).samples == 4


def composed(*overrides: str) -> Strategy:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        strategy: Strategy = build(compose("config", ["strategy=compute_optimal", *overrides]), "strategy")
        return strategy


def test_the_zoos_table_is_of_its_own_models_and_of_no_test_problem() -> None:
    strategy = composed("n=16")
    assert isinstance(strategy, ComputeOptimal) and (strategy.n, strategy.samples) == (16, 4)
    shipped = json.loads((CONF.parent / "ttcs" / "zoo" / "compute_optimal.json").read_text())
    assert shipped["provenance"]["dataset"].endswith("validation.jsonl")
    assert len(shipped["bins"]) > 1 and {cell["bin"] for cell in shipped["cells"]} == {
        row["bin"] for row in shipped["bins"]
    }
    with pytest.raises(InstantiationException) as caught:
        composed("n=16", "strategy.table.policy=another")
    assert "was fitted for the policy ttcs/zoo/models/policy, not another" in str(told(caught.value))
    models = CONF.parent / "ttcs" / "zoo" / "models"  # wherever the package is
    assert load(None, str(models / "policy"), str(models / "prm")).samples == 4
