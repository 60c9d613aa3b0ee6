"""Evaluation harnesses against the service on the zoo: their accuracy is that of a run of the project's own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import urlopen

import pytest

import ttcs
from tests.typed import typed
from ttcs import __main__ as command
from ttcs.solving.solver import question

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TASKS = ROOT / "examples" / "harness"
METHOD = "strategy=best_of_n", "selection=weighted", "n=4"
PROBLEMS = 12
SEED = 1234  # what lm-evaluation-harness sends
PATIENCE = 900  # seconds that a harness may take, on a machine that others use too


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With zoo.jsonl, made as docs/serving.md says."""
    made = tmp_path_factory.mktemp("harness")
    problems = ttcs.dataset("dataset=zoo", f"dataset.limit={PROBLEMS}")
    rows = [{"id": question(one.question).id, "question": one.question, "answer": one.answer} for one in problems]
    (made / "zoo.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return made


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[str]:
    """Its address."""
    pytest.importorskip("uvicorn", reason="pip install 'ttcs[serve]'")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    method = f"+serve.methods.four={json.dumps(METHOD, separators=(',', ':'))}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "ttcs.serve", method, f"serve.port={port}"]
    with subprocess.Popen(words, cwd=folder, env=environment) as process:
        try:
            wait(f"http://127.0.0.1:{port}/health")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def wait(place: str) -> None:
    ends = monotonic() + PATIENCE
    while monotonic() < ends:
        try:
            with urlopen(place, timeout=30):
                return
        except URLError:
            sleep(0.2)
    raise AssertionError(f"nothing at {place}")


@pytest.fixture
def accuracy(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> float:
    """Of `python -m ttcs` on the same questions."""
    monkeypatch.chdir(folder)
    main = typed("ttcs", command.main, monkeypatch, capsys)
    words = "dataset=jsonl", "dataset.path=zoo.jsonl", *METHOD, f"seed={SEED}", "hydra.run.dir=run", "picture=none"
    assert main(*words)[0] == 0
    summary = json.loads((folder / "run" / "summary.json").read_text())
    assert summary["n_graded"] == PROBLEMS and 0 < summary["accuracy"] < 1
    return float(summary["accuracy"])


def harness(program: str, package: str, folder: Path, *arguments: str) -> None:
    """Run a program of whatever environment has it in PATH, which need not be the project's."""
    if (found := shutil.which(program)) is None:
        pytest.skip(f"there is no {program}: pip install {package}, here or in an environment that is in PATH")
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    home = {"HF_HOME": str(folder / "hub"), "HOME": str(folder), "TTCS_API_KEY": "none", "OPENAI_API_KEY": "none"}
    ended = subprocess.run(
        [found, *arguments], cwd=folder, env=environment | home, capture_output=True, text=True, timeout=PATIENCE
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_lm_evaluation_harness(folder: Path, service: str, accuracy: float) -> None:
    given = f"model=four,base_url={service}/chat/completions,num_concurrent=4,max_retries=1"
    harness(
        *("lm_eval", "'lm-eval[api]'", folder, "run", "--model", "local-chat-completions", "--model_args", given),
        *("--tasks", "ttcs_zoo", "--include_path", str(TASKS), "--apply_chat_template", "--output_path", "lm_eval"),
    )
    (file,) = (folder / "lm_eval").rglob("results_*.json")
    found = json.loads(file.read_text())
    assert found["results"]["ttcs_zoo"]["exact_match,boxed"] == pytest.approx(accuracy)
    assert found["n-samples"]["ttcs_zoo"]["effective"] == PROBLEMS


def test_inspect_ai(folder: Path, service: str, accuracy: float) -> None:
    shutil.copy(TASKS / "inspect_zoo.py", folder)  # it takes no absolute path
    harness(
        *("inspect", "'inspect-ai' openai", folder, "eval", "inspect_zoo.py"),
        *("--model", "openai-api/ttcs/four", "--model-base-url", service, "--seed", str(SEED)),
        *("-T", f"problems={folder}/zoo.jsonl", "--log-dir", "inspect", "--log-format", "json", "--display", "none"),
    )
    (file,) = (folder / "inspect").glob("*.json")
    results = json.loads(file.read_text())["results"]
    assert results["scores"][0]["metrics"]["accuracy"]["value"] == pytest.approx(accuracy)
    assert results["completed_samples"] == PROBLEMS
