"""Supervised fine-tuning as a person starts it."""

import json
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from tests import tiny
from tests.typed import typed
from ttcs.config.options import CONF
from ttcs.errors import UserError
from ttcs.training.__main__ import main
from ttcs.training.chats import Chat, Solutions

REAL = ("sft", "revision")


def test_a_file_of_solutions_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [{"question": f"Compute {i}.", "solution": f"It is ${i}$."} for i in range(40)]
    file = tmp_path / "solutions.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    call = typed("ttcs.training", main, monkeypatch, capsys, "stage=sft", f"work={tmp_path}")
    tuned = f"stage.start={tiny.folder()}", f"stage.chats.problems.path={file}", "stage.validation=0.3"
    small = "+stage.arguments.max_steps=2", "stage.arguments.gradient_accumulation_steps=1"
    code, said, error = call(*tuned, *small, "stage.arguments.logging_steps=1", "stage.arguments.eval_steps=2")
    assert code == 0, error
    assert (tmp_path / "sft" / "model.safetensors").exists() and not (tmp_path / ".sft.part").exists()
    assert (tmp_path / "sft_checkpoints" / "curves.png").stat().st_size > 5000
    assert "sft 2/2  loss" in said and "tokens/s" in said and "eval loss" in said
    code, _, error = call(*tuned, *small, "stage.arguments.learning_rate=1.0")
    assert (code, error.splitlines()[-1]) == (
        2,
        f"error: {tmp_path}/sft_checkpoints has checkpoints of other settings: "
        "arguments.learning_rate is 1e-05 there and 1.0 here; choose another stage.work",
    )
    code, _, error = call(*tuned, "+stage.arguments.max_steps=4", small[1], f"stage.out={tmp_path}/longer")
    assert code == 0, error
    assert (tmp_path / "longer" / "model.safetensors").exists()
    assert call(tuned[0])[::2] == (
        2,
        "error: stage.chats.problems.path has no value: say stage.chats.problems.path=...\n",
    )
    code, _, error = call(*tuned, f"stage.work={tmp_path}/new", "stage.chats.problems.columns.answer=text")
    assert (code, error.splitlines()[-1]) == (
        2,
        f"error: {file}:1: no column text (there are: question, solution); name it under dataset.columns",
    )


def test_chats_are_the_questions_and_solutions_of_a_dataset(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"question": "Q", "solution": "S"}\n{"question": "Q", "solution": null}\n')
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("training", ["stage=sft", f"stage.chats.problems.path={tmp_path}/a.jsonl"])
    source = instantiate(config.stage.chats, _convert_="all")
    assert isinstance(source, Solutions)
    chats = source.chats()
    assert next(chats) == Chat("Q", "S")
    with pytest.raises(UserError, match="problem 2 has no solution"):
        next(chats)


@pytest.mark.parametrize("name", REAL)
def test_defaults_for_real_models_are_those_of_the_paper(name: str) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        stage = compose("training", [f"stage={name}"]).stage
    arguments = stage.arguments
    assert arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps == 128
    assert (arguments.learning_rate, arguments.get("adam_beta1", 0.9), arguments.adam_beta2) == (1e-5, 0.9, 0.95)
    assert arguments.bf16 and arguments.gradient_checkpointing and arguments.eval_steps == arguments.save_steps


def test_the_zoos_revision_model_is_asked_as_it_was_shown_examples() -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        data, model = (compose("training", [f"stage={name}"]).stage for name in ("zoo_revision_data", "zoo_revision"))
    assert data.attempts == model.revision.attempts == 4
    assert data.out == model.chats.paths[-1]
    assert model.arguments.eval_steps == model.arguments.save_steps
