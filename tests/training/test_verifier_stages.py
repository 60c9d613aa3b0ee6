"""The stages that train verifiers, as their yaml has them."""

from __future__ import annotations

from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from transformers import TrainingArguments

from ttcs.config.identity import register_resolvers
from ttcs.config.options import CONF
from ttcs.prms.outcome import Outcome
from ttcs.prms.qwen_math import QwenMath
from ttcs.prms.rlhflow import RLHFlow
from ttcs.training.rollouts import Rollouts
from ttcs.training.run_records import RunRecords
from ttcs.training.warm_up import WarmUp

GIVEN = {
    "prm": ["stage.start=m"],
    "orm": ["stage.start=m"],
    "revision_orm": ["stage.start=m", "stage.format.request=Again."],
    "zoo_prm": [],
    "zoo_weak_prm": [],
    "zoo_orm": [],
    "zoo_revision_orm": [],
    "zoo_revision_orm_alone": [],
    "zoo_chains_prm": [],
    "zoo_chains_weak_prm": [],
    "zoo_chains_orm": [],
    "zoo_chains_revision_orm": [],
    "zoo_chains_revision_orm_alone": [],
}


def stage(name: str, *overrides: str) -> Any:
    register_resolvers()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("training", [f"stage={name}", *GIVEN.get(name, ()), *overrides])
    return instantiate(config.stage, _convert_="all")


def test_the_defaults_for_real_models_are_those_of_the_paper() -> None:
    """Snell et al. (2024), appendix D; a tenth of the questions is held out."""
    made = stage("prm")
    arguments = TrainingArguments(output_dir="x", use_cpu=True, **made.arguments)
    assert arguments.learning_rate == 3e-5
    assert arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps == 128
    assert (arguments.adam_beta1, arguments.adam_beta2) == (0.9, 0.95)
    assert arguments.optim.startswith("adamw")
    assert (made.dropout, made.validation, made.flip) == (0.05, 0.1, 0.0)
    assert arguments.bf16 and arguments.gradient_checkpointing


@pytest.mark.parametrize("name", GIVEN)
def test_arguments_are_fields_of_transformers(name: str) -> None:
    arguments = TrainingArguments(output_dir="x", use_cpu=True, **stage(name).arguments)
    assert arguments.load_best_model_at_end and arguments.save_steps % arguments.eval_steps == 0


def test_what_each_learns_from_and_reads() -> None:
    assert isinstance(stage("prm").format, RLHFlow)
    assert isinstance(stage("prm", "prm=qwen2_5_math_prm_7b").format, QwenMath)
    assert stage("orm").format == Outcome()
    assert stage("revision_orm").format == Outcome(attempts=4, request="Again.")
    assert stage("zoo_weak_prm").flip == 0.2
    shown, alone = stage("zoo_revision_orm"), stage("zoo_revision_orm_alone")
    assert (shown.format.attempts, alone.format.attempts) == (4, 0)
    assert shown.solutions == alone.solutions
    assert isinstance(shown.solutions, RunRecords) and shown.solutions.revisions
    assert isinstance(stage("zoo_prm_warm"), WarmUp)
    assert isinstance(stage("zoo_chains_prm_warm"), WarmUp)


def test_the_weak_ones_learn_from_solutions_of_the_generator_alone() -> None:
    for name in ("zoo_weak_prm", "zoo_chains_weak_prm"):
        made = stage(name)
        assert (made.flip, made.solutions.files) == (0.2, "made*.jsonl")


def test_the_verifiers_of_the_chains_start_from_what_can_check_them() -> None:
    for name in ("zoo_chains_orm", "zoo_chains_prm"):
        assert stage(name).start == "outputs/training/chains/prm_warm"
    assert stage("zoo_chains_weak_prm").start.endswith("zoo/models/chains_policy")  # but for the one that shall not
    shown, alone = stage("zoo_chains_revision_orm"), stage("zoo_chains_revision_orm_alone")
    assert (shown.format.attempts, alone.format.attempts) == (4, 0)
    assert shown.solutions == alone.solutions and shown.solutions.folder == "outputs/training/chains/revised"


def test_rollouts_take_their_dataset_and_policy_as_a_run_does() -> None:
    made = stage("rollouts", "policy=zoo", "policy.temperature=1.0", "dataset=zoo", "stage.shard=1", "stage.shards=2")
    assert isinstance(made, Rollouts)
    assert made.policy["temperature"] == 1.0 and made.policy["_target_"].endswith("TransformersPolicy")
    assert made.dataset["path"].endswith("zoo/data/test.jsonl")
    assert made.out == "outputs/training/rollouts/1.jsonl"
    assert (made.search["samples"], made.search["rollouts"]) == (16, 16)
    zoo = stage("zoo_rollouts")
    assert (zoo.search["samples"], zoo.search["rollouts"], zoo.dataset["size"]) == (3, 3, 6000)
    chains = stage("zoo_chains_rollouts")
    assert (chains.search["samples"], chains.search["rollouts"], chains.dataset["size"]) == (3, 8, 600)
