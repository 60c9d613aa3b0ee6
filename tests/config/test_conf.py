"""Every yaml under conf/ composes, and every component it names can be built."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from ttcs.config.components import build
from ttcs.config.identity import LATER, digest, portable
from ttcs.config.options import CONF, groups
from ttcs.running.naming import run_name
from ttcs.running.runner import Plan


def composed(*overrides: str) -> DictConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", list(overrides), return_hydra_config=True)


GROUPS = groups(composed())
OPTIONS = [(group, file.stem) for group in GROUPS for file in sorted((CONF / group).glob("*.yaml"))]
NEEDS = {
    ("policy", "custom"): ["policy.model=m"],
    ("prm", "implicit"): ["prm.model=m"],
    ("prm", "implicit_least"): ["prm.model=m"],
    ("dataset", "jsonl"): ["dataset.path=p.jsonl"],
    ("dataset", "csv"): ["dataset.path=p.csv"],
    ("dataset", "parquet"): ["dataset.path=p.parquet"],
    ("dataset", "hub"): ["dataset.name=p", "dataset.path=p.csv"],
}


@pytest.fixture(autouse=True)
def problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    row = {"id": "a", "question": "1 + 1?", "answer": "2"}
    Path("p.jsonl").write_text(json.dumps(row) + "\n")
    pd.DataFrame([row]).to_csv("p.csv", index=False)
    pd.DataFrame([row]).to_parquet("p.parquet")


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_option_composes_and_names_its_folder(group: str, option: str) -> None:
    config = composed(f"{group}={option}", *NEEDS.get((group, option), []))
    assert portable(config)
    assert "n=" in run_name(_root_=config)


@pytest.mark.parametrize(("group", "option"), OPTIONS)
def test_every_component_is_built(group: str, option: str) -> None:
    config = composed(f"{group}={option}", *NEEDS.get((group, option), []))
    if group not in config or "_target_" not in config[group]:
        return  # launcher and experiment set other groups
    if group == "logger" and option != "none":
        pytest.importorskip(option, reason=f"pip install 'ttcs[{option}]'")
    if (model := config[group].get("model")) is not None and not Path(model).is_dir():
        pytest.skip(f"no model at {model}")
    if "path" in config[group] and not Path(str(config[group].path)).is_file():
        pytest.skip(f"no dataset at {config[group].path}")
    assert build(config, group) is not None


def test_the_groups_are_those_that_others_rely_on() -> None:
    options = {group: {option for other, option in OPTIONS if other == group} for group in GROUPS}
    assert options["strategy"] >= {"greedy", "best_of_n", "beam_search", "dvts", "lookahead"}
    assert options["reduction"] == {"last", "min", "prod", "mean"}
    assert options["selection"] >= {"majority", "best", "weighted", "hierarchical", "confidence", "self_certainty"}
    assert options["stopping"] >= {"beta", "dirichlet", "window", "settled", "weighted", "weighted_mean", "never"}
    assert options["difficulty"] == {"oracle", "predicted", "annotated"}
    assert options["dataset"] >= {"zoo", "math500", "jsonl", "csv", "parquet", "hub"}
    assert set(GROUPS) >= {"policy", "prm", "budget", "launcher", "experiment"}


@pytest.mark.parametrize("policy", ["zoo", "zoo_small", "zoo_reasoning", "custom", "llama_3_2_1b", "qwen3_1_7b"])
def test_any_policy_can_be_told_how_it_thinks(policy: str) -> None:
    needs = ["policy.model=m"] if policy == "custom" else []
    assert composed(f"policy={policy}", "policy/reasoning=think", *needs).policy.reasoning.end.strip() == "</think>"


def test_defaults() -> None:
    config = composed()
    assert (config.n, config.seed, config.dataset.limit) == (16, 0, 100)
    assert config.hydra.runtime.choices.strategy == "best_of_n"
    assert config.hydra.runtime.choices.selection == "weighted"


@pytest.mark.parametrize("strategy", ["beam_search", "dvts", "lookahead"])
def test_searches_rank_by_the_reduction_and_take_n(strategy: str) -> None:
    built = build(composed(f"strategy={strategy}", "reduction=min", "n=8", "strategy.width=2"), "strategy")
    assert (built.n, built.width) == (8, 2)
    assert built.rank([0.9, 0.2, 0.5]) == 0.2


def test_the_plan_of_a_run_needs_no_model(tmp_path: Path) -> None:
    path = f"dataset.path={tmp_path / 'p.jsonl'}"  # in full: datasets are shared by path within a process
    plan = Plan.of(composed("policy=custom", "policy.model=nowhere", "dataset=jsonl", path))
    assert [problem.id for problem in plan.problems] == ["a"]


@pytest.mark.parametrize(
    "override",
    ["n=8", "seed=1", "policy.temperature=0.5", "selection=best", "dataset.limit=7", "answer=text", "answer=none"],
)
def test_what_changes_a_result_changes_the_folder(override: str) -> None:
    assert run_name(_root_=composed(override)) != run_name(_root_=composed())


@pytest.mark.parametrize(
    "override",
    [
        *("policy.batch_size=3", "prm.device=cpu", "difficulty=oracle", "+span.dvts=[1,2]", "stopping=window"),
        "workers=2",
    ],
)
def test_what_cannot_change_a_result_does_not(override: str) -> None:
    assert run_name(_root_=composed(override)) == run_name(_root_=composed())


@pytest.mark.parametrize("name", ["adaptive_vote", "adaptive_dvts", "deepconf"])
def test_what_runs_ahead_renames_the_folders_of_those_whose_costs_it_changes(name: str) -> None:
    assert run_name(_root_=composed("ahead=0")) == run_name(_root_=composed())
    adaptive = f"strategy={name}"
    assert run_name(_root_=composed(adaptive, "ahead=0")) != run_name(_root_=composed(adaptive))


@pytest.mark.parametrize("key", sorted(LATER))
def test_a_setting_that_came_later_renames_no_folder_until_it_is_used(key: str) -> None:
    config = portable(composed("dataset=math500", "dataset.path=p.csv"))
    group, name = key.split(".")
    without = config | {group: {inner: value for inner, value in config[group].items() if inner != name}}
    assert name in config[group] and digest(without) == digest(config)
    assert digest(config | {group: config[group] | {name: 5}}) != digest(config)


def test_a_group_that_came_later_renames_no_folder_until_it_is_used() -> None:
    config = portable(composed())
    assert digest({key: value for key, value in config.items() if key != "answer"}) == digest(config)


def test_models_that_repeat_themselves_greedily_are_sampled_as_their_cards_say() -> None:
    sampling = {
        name: [composed(f"policy={name}").policy[key] for key in ("temperature", "top_p", "top_k")]
        for name in ("r1_qwen_1_5b", "qwen3_1_7b")
    }
    assert sampling == {"r1_qwen_1_5b": [0.6, 0.95, None], "qwen3_1_7b": [0.6, 0.95, 20]}


def test_the_folder_does_not_depend_on_where_the_package_is() -> None:
    config = portable(composed())
    assert config["policy"]["model"] == "ttcs/zoo/models/policy"
    assert digest(portable(OmegaConf.create(config))) == digest(config)
