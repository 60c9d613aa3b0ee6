"""What cannot be written is one line and exit code 2, in every command that writes, and nothing is lost by it."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from analysis import __main__ as analysis
from tests.typed import Main, typed
from ttcs import __main__ as command
from ttcs import merge, pools, replay
from ttcs.config import components
from ttcs.curation import __main__ as curation
from ttcs.errors import told
from ttcs.planning import __main__ as planning
from ttcs.records.record_file import read
from ttcs.training import __main__ as training

BASE = ["policy=scripted", "prm=scripted", "dataset=jsonl", "dataset.path=p.jsonl", "n=4"]
ROOT = Path(__file__).parents[2]
POOL = {"id": "a", "problem": "?", "answer": "1", "completions": ["It is 1.", "It is 2."]}
COMMANDS: dict[str, Callable[[], object]] = {
    "ttcs": command.main,
    "ttcs.merge": lambda: merge.main(sys.argv[1:]),
    "ttcs.replay": lambda: replay.main(sys.argv[1:]),
    "ttcs.pools": lambda: pools.main(sys.argv[1:]),
    "ttcs.planning": lambda: planning.main(sys.argv[1:]),
    "ttcs.training": training.main,
    "ttcs.curation": curation.main,
    "analysis": analysis.main,
}
REFUSED: dict[str, tuple[str, list[str]]] = {
    "a run": ("ttcs", [*BASE, "hydra.run.dir=file"]),
    "a run below a file": ("ttcs", [*BASE, "hydra.run.dir=file/a/b"]),
    "a run where nobody can write": ("ttcs", [*BASE, "hydra.run.dir=/proc/run"]),
    "a sweep": ("ttcs", [*BASE, "n=2,4", "hydra.sweep.dir=file", "-m"]),
    "a sweep of a launcher": ("ttcs", [*BASE, "launcher=joblib", "hydra.sweep.dir=file", "-m"]),
    "a merge": ("ttcs.merge", ["run", "--out", "file"]),
    "a replay": ("ttcs.replay", ["blocked", "selection=majority"]),
    "a pool": ("ttcs.pools", ["pool.jsonl", "--out", "file/a", "selection=majority"]),
    "a plan": ("ttcs.planning", [*BASE, "plan.out=file/plan.json"]),
    "a plan over a folder": ("ttcs.planning", [*BASE, "plan.out=folder"]),
    "a stage": ("ttcs.training", ["stage=zoo_validation", "stage.size=5", "work=file"]),
    "curation": ("ttcs.curation", ["recipe=zoo", "sources.traces.path=pool.jsonl", "out=file/a"]),
    "figures": ("analysis", ["figure=accuracy", "records=run", "out=file"]),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run in `run`."""
    folder = tmp_path_factory.mktemp("run")
    rows = [{"id": f"p{i}", "question": f"{i} + 1?", "answer": str(i)} for i in range(8)]
    (folder / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "pool.jsonl").write_text(json.dumps(POOL) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["ttcs", *BASE, "hydra.run.dir=run"])
        components.forget()
        command.main()
    shutil.copytree(folder / "run", folder / "blocked")
    for name in ("blocked/replay", "file"):
        (folder / name).touch()
    (folder / "folder").mkdir()
    return folder


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_written_is_one_line(
    run: Path, what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(run)
    name, arguments = REFUSED[what]
    before = sorted(run.rglob("*"))
    code, _, err = typed(name, COMMANDS[name], monkeypatch, capsys)(*arguments)
    assert code == 2
    assert err.startswith("error: cannot ") and err.count("\n") == 1, err
    assert sorted(run.rglob("*")) == before


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """No file of this process can become larger: a disk that is full, as far as a test can have one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def main(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Main:
    monkeypatch.chdir(tmp_path)
    shutil.copy(run / "p.jsonl", tmp_path)
    return typed("ttcs", command.main, monkeypatch, capsys)


def test_a_disk_that_is_full_half_way_loses_nothing(main: Main) -> None:
    with at_most(15_000):
        code, out, err = main(*BASE, "hydra.run.dir=out", "n=16")
    assert (code, out) == (2, "")
    assert err == "error: cannot write out/records.jsonl: File too large\n"
    kept = list(read(Path("out/records.jsonl")))
    assert 0 < len(kept) < 8
    components.forget()
    assert main(*BASE, "hydra.run.dir=out", "n=16")[0] == 0
    assert len(list(read(Path("out/records.jsonl")))) == 8
    assert list(read(Path("out/records.jsonl")))[: len(kept)] == kept


def test_a_model_that_cannot_be_saved(tmp_path: Path) -> None:
    """safetensors and torch have exceptions of their own for a disk that is full."""
    import torch

    saved: list[Callable[[], object]] = [
        lambda: save_file({"w": np.zeros(10_000)}, tmp_path / "a"),
        lambda: torch.save({"w": torch.zeros(10_000)}, tmp_path / "b"),
    ]
    for save in saved:
        with at_most(1000), pytest.raises(Exception) as failed:
            save()
        line = told(failed.value)
        assert line is not None and "cannot be written" in str(line) and "\n" not in str(line)


def test_a_bug_is_no_refusal() -> None:
    assert told(FileNotFoundError(2, "No such file or directory", "x")) is None
    assert told(ValueError("I am a bug")) is None


def test_output_to_a_full_device(run: Path) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123
        arguments = [sys.executable, "-m", "ttcs.replay", "run", "selection=majority"]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        ended = subprocess.run(
            arguments, cwd=run, stdout=full, stderr=subprocess.PIPE, text=True, env=environment, check=False
        )
    assert (ended.returncode, ended.stderr) == (2, "error: a file cannot be written: No space left on device\n")
    shutil.rmtree(run / "run" / "replay")
