"""Output that has not all characters: no command ends in a traceback for it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

from tests.commands.test_writing import COMMANDS
from ttcs import __main__ as command
from ttcs.config import components

ROOT = Path(__file__).parents[2]
BASE = ["policy=scripted", "prm=scripted", "dataset=jsonl", 'dataset.path="größe.jsonl"', "n=2"]
POOL = {"id": "größe", "problem": "Größe?", "answer": "1", "completions": ["It is ü.", "Es ist ä."]}
SAID: dict[str, tuple[str, list[str]]] = {
    "a run": ("ttcs", [*BASE, 'hydra.run.dir="läuft"']),
    "the configuration": ("ttcs", [*BASE, "--cfg", "job"]),
    "a sweep": ("ttcs", [*BASE, 'dataset.columns.family=null,"größe"', 'hydra.sweep.dir="läuft2"', "-m"]),
    "a merge": ("ttcs.merge", ["begonnen/größe", "--out", "größe"]),
    "a replay": ("ttcs.replay", ["begonnen/größe", "selection=majority"]),
    "a pool": ("ttcs.pools", ["pool.jsonl", "--out", "fürsie", "--policy", "größte", "selection=majority"]),
    "a plan": ("ttcs.planning", [*BASE, 'plan.out="plän.json"']),
    "a stage": ("ttcs.training", ["stage=zoo_validation", "stage.size=5", 'work="größe"']),
    "curation": ("ttcs.curation", ["recipe=zoo", 'sources.traces.path="keine-größe.jsonl"', 'out="größe2"']),
    "figures": ("analysis", ["figure=table", "records=begonnen", 'out="größe3"']),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with problems whose ids have umlauts, and a finished run of them."""
    folder = tmp_path_factory.mktemp("run")
    rows = [{"id": f"größe{i}", "question": f"{i} + 1?", "answer": "1", "größe": "ä"} for i in range(4)]
    (folder / "größe.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "pool.jsonl").write_text(json.dumps(POOL) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["ttcs", *BASE, 'hydra.run.dir="begonnen/größe"'])
        components.forget()
        command.main()
    return folder


@pytest.mark.parametrize("what", SAID)
def test_what_ascii_lacks_is_spelled(run: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run)
    name, arguments = SAID[what]
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict") for _ in range(2)]
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    GlobalHydra.instance().clear()
    code = 0
    try:
        COMMANDS[name]()
    except SystemExit as end:
        code = int(end.code or 0)
    for stream in streams:
        stream.flush()
    out, err = (stream.buffer.getvalue().decode("ascii") for stream in streams)  # type: ignore[attr-defined]
    assert "\\xe4" in out + err or "\\xf6" in out + err or "\\xfc" in out + err
    if what == "curation":  # which has no such file
        assert code == 2 and err.count("\n") == 1
    else:
        assert (code, err) == (0, "")


@pytest.mark.parametrize("locale", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_the_real_command(run: Path, locale: dict[str, str]) -> None:
    """Where the file system is taken for ASCII too, names come and go as the bytes that they are."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), **locale}
    arguments = [sys.executable, "-m", "ttcs", *BASE, f'hydra.run.dir="größe-{len(locale)}"']
    ended = subprocess.run(arguments, cwd=run, env=environment, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert (run / f"größe-{len(locale)}" / "summary.json").is_file()
