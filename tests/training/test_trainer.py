"""Training goes on after a kill as if there had been none."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from tests import tiny
from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.training.chats import Solutions
from ttcs.training.checkpoints import last_whole, past_minimum
from ttcs.training.sft import ChatFineTuning
from ttcs.training.trainer import _settings

STEPS = 60  # of batches of 4: two epochs and a half
PROBLEMS = tuple(Problem(str(i), f"Compute ${i} + 1$.", f"${i} + 1 = {i + 1}$." * (1 + i % 5)) for i in range(100))
ARGUMENTS = {
    "per_device_train_batch_size": 4,
    "learning_rate": 3e-3,
    "max_steps": STEPS,
    "logging_steps": 5,
    "save_steps": 5,
    "save_total_limit": 2,
    "train_sampling_strategy": "group_by_length",
    "length_column_name": "length",
}


def stage(folder: Path, start: str, **changes: object) -> ChatFineTuning:
    arguments = ARGUMENTS | dict(changes.pop("arguments", {}))  # type: ignore[call-overload]
    fields = {"chats": Solutions(PROBLEMS), "seed": 0, "arguments": arguments} | changes
    return ChatFineTuning(start=start, out=str(folder / "out"), work=str(folder / "work"), **fields)  # type: ignore[arg-type]


def test_killed_at_any_time_it_ends_with_the_same_weights(tmp_path: Path) -> None:
    start = tiny.folder()
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    stage(undisturbed, start).run()
    code = f"import tests.training.test_trainer as t, pathlib; t.stage(pathlib.Path({str(killed)!r}), {start!r}).run()"
    child = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    while not (killed / "work" / "checkpoint-35" / "trainer_state.json").exists():  # in the middle of an epoch
        assert child.poll() is None
        time.sleep(0.002)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert not (killed / "out").exists()
    stage(killed, start).run()
    one, two = (load_file(folder / "out" / "model.safetensors") for folder in (undisturbed, killed))
    assert all(torch.equal(one[name], two[name]) for name in one)
    steps = [line.split(",")[0] for line in (killed / "work" / "curves.csv").read_text().splitlines()]
    assert steps == ["step", *map(str, range(5, STEPS + 1, 5))]
    assert _columns(killed, "tokens", "loss") == _columns(undisturbed, "tokens", "loss")


def test_killed_after_its_last_step_it_takes_none_more(tmp_path: Path) -> None:
    folder, short = tmp_path / "short", {"max_steps": 7, "lr_scheduler_type": "constant"}
    stage(folder, tiny.folder(), arguments=short).run()
    first = load_file(folder / "out" / "model.safetensors")
    shutil.rmtree(folder / "out")
    stage(folder, tiny.folder(), arguments=short).run()
    again = load_file(folder / "out" / "model.safetensors")
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_a_checkpoint_that_a_kill_cut_short_is_passed_over(tmp_path: Path) -> None:
    assert last_whole(str(tmp_path / "none")) is None
    for step in (5, 10, 15, 100):
        checkpoint = tmp_path / f"checkpoint-{step}"
        checkpoint.mkdir()
        (checkpoint / "trainer_state.json").write_text('{"global_step": 5}')
        torch.save({"cpu": torch.zeros(3000)}, checkpoint / "rng_state_1.pth")
    assert last_whole(str(tmp_path)) == str(tmp_path / "checkpoint-100")
    (tmp_path / "checkpoint-100" / "trainer_state.json").unlink()
    assert last_whole(str(tmp_path)) == str(tmp_path / "checkpoint-15")
    numbers = tmp_path / "checkpoint-15" / "rng_state_1.pth"
    numbers.write_bytes(numbers.read_bytes()[:5000])
    assert last_whole(str(tmp_path)) == str(tmp_path / "checkpoint-10")
    (tmp_path / "checkpoint-10" / "trainer_state.json").write_text('{"global_st')
    assert last_whole(str(tmp_path)) == str(tmp_path / "checkpoint-5")


def test_an_adapter_is_merged_into_the_model_that_is_saved(tmp_path: Path) -> None:
    lora = {"r": 4, "lora_alpha": 32, "target_modules": "all-linear"}
    short = {"max_steps": 5, "gradient_checkpointing": True, "gradient_accumulation_steps": 2, "bf16": True}
    stage(tmp_path, tiny.folder(), arguments=short, lora=lora).run()
    start, tuned = (
        AutoModelForCausalLM.from_pretrained(folder, dtype="float32").state_dict()
        for folder in (tiny.folder(), str(tmp_path / "out"))
    )
    assert start.keys() == tuned.keys()
    changed = {name for name in start if not torch.equal(start[name], tuned[name])}
    assert changed == {name for name in start if "proj" in name}
    assert json.loads((tmp_path / "out" / "adapter" / "adapter_config.json").read_text())["r"] == 4


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"arguments": {"learning_rat": 1.0}}, "stage.arguments: .*learning_rat"),
        ({"lora": {"rank": 4}}, "stage.lora: .*rank"),
        ({"after": 1}, "stage.after=1 needs stage.validation"),
        ({"max_length": 5}, "leaves 0 examples of at most 5 tokens to train on and 0 held out"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        stage(tmp_path, tiny.folder(), **changes).run()


def test_training_ends_after_the_loss_has_risen_and_keeps_the_last_model(tmp_path: Path) -> None:
    rising = {"eval_strategy": "steps", "eval_steps": 5, "learning_rate": 3e-2, "lr_scheduler_type": "constant"}
    changes = {"validation": 0.2, "after": 1, "arguments": rising | {"save_total_limit": 30, "max_steps": 400}}
    stage(tmp_path, tiny.folder(), **changes).run()
    losses = [float(value) for value in _columns(tmp_path, "eval_loss")["eval_loss"] if value]
    assert losses[-1] > losses[-2] == min(losses)
    assert sorted(losses[:-1], reverse=True) == losses[:-1]
    last = tmp_path / "work" / f"checkpoint-{5 * len(losses)}" / "model.safetensors"
    kept, saved = load_file(last), load_file(tmp_path / "out" / "model.safetensors")
    assert all(torch.equal(kept[name], saved[name]) for name in kept)


def test_the_last_step_can_be_the_best(tmp_path: Path) -> None:
    falling = {
        "eval_strategy": "steps",
        "eval_steps": 8,
        "save_steps": 8,
        "max_steps": 20,
        "load_best_model_at_end": True,
    }
    stage(tmp_path, tiny.folder(), validation=0.2, arguments=falling).run()
    states = sorted((tmp_path / "work").glob("checkpoint-*/trainer_state.json"), key=lambda path: path.stat().st_mtime)
    history = json.loads(states[-1].read_text())["log_history"]
    losses = {log["step"]: log["eval_loss"] for log in history if "eval_loss" in log}
    assert list(losses) == [8, 16, 20] and min(losses, key=losses.__getitem__) == 20
    last, kept = (
        load_file(folder / "model.safetensors") for folder in (tmp_path / "work" / "checkpoint-20", tmp_path / "out")
    )
    assert all(torch.equal(last[name], kept[name]) for name in last)


def test_how_long_ago_the_minimum_was() -> None:
    assert past_minimum([]) == 0
    assert past_minimum([{"loss": 1.0}, {"eval_loss": 2.0}, {"eval_loss": 1.0}]) == 0
    assert past_minimum([{"eval_loss": 1.0}, {"eval_loss": 2.0}, {"loss": 0.0}, {"eval_loss": 1.5}]) == 2


def _columns(folder: Path, *names: str) -> dict[str, list[str]]:
    head, *lines = [line.split(",") for line in (folder / "work" / "curves.csv").read_text().splitlines()]
    return {name: [line[head.index(name)] for line in lines] for name in names}


@pytest.mark.parametrize(("able", "used"), [({}, False), ({"avx512_bf16": True}, True), ({"amx_bf16": True}, True)])
def test_bfloat16_is_used_where_the_processor_has_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    able: dict[str, bool],
    used: bool,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"architecture": "x86_64", **able}, raising=False)
    assert _settings(str(tmp_path), 0, {"bf16": True}).bf16 is used
    assert ("bf16: this processor" in capsys.readouterr().out) is not used
