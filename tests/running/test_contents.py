"""What a run was made with is told by content, and a difference is refused by name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.typed import Main, typed
from ttcs import __main__ as command
from ttcs.config import components, fingerprint
from ttcs.config.identity import PACKAGE
from ttcs.errors import UserError
from ttcs.merge import merge
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.records.record_file import read
from ttcs.running.contents import FILE

SCRIPTED = ["policy=scripted", "prm=scripted", "n=4"]
OWN = ["dataset=jsonl", "dataset.path=p.jsonl"]
MODEL = [*SCRIPTED, *OWN, f"policy._target_={__name__}.Named", "+policy.model=m"]


@dataclass(slots=True)
class Named(ScriptedPolicy):
    """Has the setting of a model, which it does not read: nothing is loaded."""

    model: str = ""


@pytest.fixture
def main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Main:
    """`python -m ttcs` in a folder of its own, with three problems and a model."""
    monkeypatch.chdir(tmp_path)
    components.forget()
    problems("1 + 1?", "1 + 2?", "1 + 3?")
    shutil.copytree(PACKAGE / "zoo/models/policy_small", "m")
    return typed("ttcs", command.main, monkeypatch, capsys)


def problems(*questions: str) -> None:
    components.forget()
    rows = [{"id": f"p{i}", "question": question, "answer": "2"} for i, question in enumerate(questions)]
    Path("p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def weights() -> None:
    shutil.copy(PACKAGE / "zoo/models/policy_small/model.safetensors", "m")
    tensor = Path("m/model.safetensors").read_bytes()
    Path("m/model.safetensors").write_bytes(tensor[:-4] + bytes(4))


CHANGES: dict[str, Callable[[], object]] = {
    "model.safetensors": weights,
    "tokenizer.json": lambda: Path("m/tokenizer.json").write_text(Path("m/tokenizer.json").read_text() + " "),
    "chat_template.jinja": lambda: Path("m/chat_template.jinja").write_text("{{ messages }}"),
    "config.json": lambda: Path("m/config.json").write_text(Path("m/config.json").read_text() + " "),
    "generation_config.json": lambda: Path("m/generation_config.json").unlink(),
}


def test_another_model_at_the_same_path_is_named_and_refused(main: Main) -> None:
    assert main(*MODEL, "hydra.run.dir=out")[0] == 0
    before = {path: path.read_bytes() for path in Path("out").iterdir()}
    shutil.copytree("m", "kept")
    for file, change in CHANGES.items():
        change()
        code, out, err = main(*MODEL, "hydra.run.dir=out")
        assert (code, out) == (2, "")
        assert err == (
            f"error: policy.model=m holds other files ({file}) than when the run in out began: choose another "
            "hydra.run.dir (of a sweep hydra.sweep.dir) or put back what was there; to go on all the same, delete "
            f"out/{FILE}\n"
        )
        assert {path: path.read_bytes() for path in Path("out").iterdir()} == before
        shutil.rmtree("m")
        shutil.copytree("kept", "m")
    assert main(*MODEL, "hydra.run.dir=out")[0] == 0
    weights()
    Path("out", FILE).unlink()
    assert main(*MODEL, "hydra.run.dir=out")[0] == 0  # as every folder from before fingerprints were kept


def test_other_questions_under_the_same_ids_are_refused(main: Main) -> None:
    arguments = [*SCRIPTED, *OWN, "hydra.run.dir=out"]
    assert main(*arguments)[0] == 0
    problems("1 + 1?", "1 + 2?", "1 + 3?", "1 + 4?")
    assert main(*arguments)[0] == 0  # more problems go on
    assert len(list(read(Path("out/records.jsonl")))) == 4
    problems("1 + 1?", "one and two?", "1 + 3?", "one and four?")
    code, out, err = main(*arguments)
    assert (code, out) == (2, "") and err.count("\n") == 1
    assert "other questions have the same ids (p1, p3) than when the run in out began" in err
    assert len(list(read(Path("out/records.jsonl")))) == 4


def test_a_folder_from_before_goes_on_and_is_told_from_then_on(main: Main) -> None:
    arguments = [*SCRIPTED, *OWN, "hydra.run.dir=out"]
    assert main(*arguments)[0] == 0
    Path("out", FILE).unlink()
    assert main(*arguments)[0] == 0
    assert not Path("out", FILE).exists()  # nothing was searched
    problems("1 + 1?", "1 + 2?", "1 + 3?", "1 + 4?")
    assert main(*arguments)[0] == 0
    problems("another?", "1 + 2?", "1 + 3?", "1 + 4?")
    assert main(*arguments)[0] == 2


def test_a_start_without_records_claims_nothing(main: Main) -> None:
    """A run that ended before its first record may be begun again with whatever is there."""
    Path("out").mkdir()
    Path("out", FILE).write_text('{"places": {"policy.model": {"at": "m", "files": {"x": "0"}}}, "problems": {}}')
    assert main(*MODEL, "hydra.run.dir=out")[0] == 0
    assert "model.safetensors" in Path("out", FILE).read_text()


@pytest.mark.parametrize("elsewhere", [[], ["launcher=joblib", "launcher.n_jobs=1"]])
def test_a_sweep_is_refused_before_a_point_runs(main: Main, elsewhere: list[str]) -> None:
    arguments = [*SCRIPTED, *OWN, *elsewhere, "-m"]
    assert main(*arguments, "seed=1")[0] == 0
    (kept,) = Path("outputs").rglob(FILE)
    assert set(json.loads(kept.read_text())["problems"]) == {"p0", "p1", "p2"}
    problems("another?", "1 + 2?", "1 + 3?")
    code, out, err = main(*arguments, "seed=0,1")
    assert (code, out) == (2, "") and "(p0)" in err and err.count("\n") == 1
    assert len(list(Path("outputs").rglob("records.jsonl"))) == 1


def test_shards_of_two_models_are_no_run(main: Main) -> None:
    shards = [*MODEL, "dataset.shards=2"]
    assert main(*shards, "dataset.shard=0", "hydra.run.dir=a")[0] == 0
    weights()
    assert main(*shards, "dataset.shard=1", "hydra.run.dir=b")[0] == 0
    with pytest.raises(UserError, match=r"not parts of one run: policy\.model=m holds other files \(model\.safet"):
        merge([Path("a"), Path("b")], Path("c"))
    assert not Path("c").exists()


def test_a_merged_run_is_refused_other_questions(main: Main) -> None:
    for shard in range(3):
        assert main(*SCRIPTED, *OWN, "dataset.shards=3", f"dataset.shard={shard}", f"hydra.run.dir=s{shard}")[0] == 0
    merge([Path("s0"), Path("s1"), Path("s2")], Path("out"))
    assert main(*SCRIPTED, *OWN, "hydra.run.dir=out")[0] == 0
    problems("1 + 1?", "1 + 2?", "another?")
    code, _, err = main(*SCRIPTED, *OWN, "hydra.run.dir=out")
    assert code == 2 and "(p2)" in err


def test_one_tensor_among_many_is_enough(tmp_path: Path) -> None:
    """Of a file too large to be read whole."""
    tensors = {f"layer{i}": np.full((512, 256), i, np.float32) for i in range(20)}
    save_file(tensors, tmp_path / "model.safetensors")
    assert (tmp_path / "model.safetensors").stat().st_size > fingerprint.WHOLE
    before = fingerprint.fingerprint(str(tmp_path))
    assert fingerprint.fingerprint(str(tmp_path)) == before
    save_file({**tensors, "layer7": tensors["layer7"] + 1}, tmp_path / "model.safetensors")
    assert fingerprint.fingerprint(str(tmp_path)) != before
    save_file(tensors, tmp_path / "model.safetensors")
    assert fingerprint.fingerprint(str(tmp_path)) == before  # whatever its time


def test_large_weights_of_other_formats_and_broken_ones(tmp_path: Path) -> None:
    content = np.random.default_rng(0).bytes(fingerprint.WHOLE + 1000)
    for name in ("model.safetensors", "model.gguf"):
        (tmp_path / name).write_bytes(content)
        before = fingerprint.fingerprint(str(tmp_path / name))
        (tmp_path / name).write_bytes(content[::-1])
        assert fingerprint.fingerprint(str(tmp_path / name)) != before


def test_what_is_not_read_does_not_count(tmp_path: Path) -> None:
    """Notes and checkpoints beside the weights, and weights that safetensors stand in for."""
    (tmp_path / "model.safetensors").write_bytes(b"pointer")
    before = fingerprint.fingerprint(str(tmp_path))
    for name in ("README.md", "training_args.bin", "pytorch_model.bin", "optimizer.pt"):
        (tmp_path / name).touch()
    assert fingerprint.fingerprint(str(tmp_path)) == before == {"model.safetensors": before["model.safetensors"]}


def test_a_model_of_the_hub_is_told_by_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert fingerprint.fingerprint("org/name") == {}
    ref = tmp_path / "models--org--name" / "refs" / "main"
    ref.parent.mkdir(parents=True)
    ref.write_text("0123abc")
    assert fingerprint.fingerprint("org/name") == {"commit": "0123abc"}
    assert fingerprint.fingerprint("org/name", "v1") == {}
    (ref.parent / "v1").write_text("4567def")
    assert fingerprint.fingerprint("org/name", "v1") == {"commit": "4567def"}
    assert fingerprint.fingerprint("{% if x %}" + "a" * 5000) == {}  # a template in a setting
