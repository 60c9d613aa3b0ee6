"""What a person types, and the one line that answers a mistake."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import Main, typed
from ttcs import __main__ as command
from ttcs import components

BASE = ["policy=scripted", "prm=scripted", "dataset=jsonl", "dataset.path=p.jsonl", "n=4"]
ROOT = Path(__file__).parent.parent


@pytest.fixture
def main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Main:
    """Exit code, stdout and stderr of `python -m ttcs` with these arguments, in this process."""
    monkeypatch.chdir(tmp_path)
    components.forget()
    Path("p.jsonl").write_text("".join(json.dumps({"id": i, "question": "?", "answer": i}) + "\n" for i in range(3)))

    return typed("ttcs", command.main, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["strategy=best_of"],
            "strategy has no option best_of (nearest: best_of_n, budget_forcing); it has beam_",
        ),
        (["strategy=best_of,dvts", "-m"], "strategy has no option best_of (nearest: best_of_n,"),
        (["stategy=dvts"], "there is no key stategy (nearest: strategy)"),
        (["strategy=dvts", "width=8"], "there is no key width (nearest: strategy.width)"),
        (["strategy=dvts", "strategy.widht=8"], "there is no key strategy.widht (nearest: strategy.width"),
        (["strategy=dvts", "strategy.widht=2,4", "-m"], "there is no key strategy.widht (nearest: strategy.width"),
        (["hydra.run.dri=x"], "there is no key hydra.run.dri (nearest: hydra.run.dir"),
        (["+strategy.width=4"], "strategy.width does not exist; BestOfN has n"),
        (["n=abc"], "n=abc is not a whole number of at least 1"),
        (["n=0"], "n=0 is not a whole number of at least 1"),
        (["n=-1"], "n=-1 is not a whole number of at least 1"),
        (["open=0"], "open=0 is not a whole number of at least 1"),
        (["n=1.5"], "n=1.5 is not a whole number of at least 1"),
        (["seed=null"], "seed=None is not a whole number of at least 0"),
        (["strategy=dvts", "n=10"], "n=10 is not a multiple of width=4"),
        (["strategy=best_of_n,dvts", "n=4,10", "-m"], "n=10 is not a multiple of width=4"),
        (["strategy=dvts", "strategy.width=x"], "strategy.width=x is not a whole number"),
        (["prm.quality=high"], "prm.quality=high is not a number"),
        (["policy.accuracy=0.5"], "policy.accuracy=0.5 is not a list"),
        (["n=4,16"], "n=4,16 has several values: add -m to sweep over them"),
        (["n"], "n is not of the form key=value"),
        (["dataset.path=a/n=4"], "a/n=4: a value with = in it has to stand in quotes, inside those of the shell: 'd"),
        (["n=${m}"], "Interpolation key 'm' not found"),
        (["--unknown"], "unrecognized arguments: --unknown"),
        (["policy=custom"], "policy.model has no default: add policy.model=..."),
        (["dataset.path=nope.jsonl"], "dataset file nope.jsonl does not exist"),
        (["dataset.path=torn.jsonl"], "torn.jsonl:2: not JSON"),
        (["dataset.columns.answer=solution"], "p.jsonl:1: no column solution (there are: id, question, answer)"),
        (["dataset.limit=0"], "dataset.limit=0 is neither null nor a positive whole number"),
        (["hydra.run.dir=x", "n=4,8", "-m"], "a sweep (-m) takes hydra.sweep.dir"),
    ],
)
def test_bad_input_gets_one_line(main: Main, arguments: list[str], line: str) -> None:
    Path("torn.jsonl").write_text('{"id": 1, "question": "?", "answer": 1}\n{"id": 2, "ques\n')
    code, out, err = main(*BASE, *arguments)
    assert err.startswith("error: ") and err.count("\n") == 1
    assert line in err
    assert (code, out) == (2, "")
    assert not any(path.stat().st_size for path in Path().rglob("records.jsonl"))


def test_a_folder_of_another_configuration(main: Main) -> None:
    assert main(*BASE, "hydra.run.dir=out")[0] == 0
    records = Path("out/records.jsonl").read_bytes()
    code, _, err = main(*BASE, "hydra.run.dir=out", "n=8", "seed=1")
    assert code == 2
    assert err == (
        "error: out belongs to another configuration: n is 4 there and 8 here, seed is 0 there and 1 here, "
        "strategy.n is 4 there and 8 here; choose another hydra.run.dir\n"
    )
    assert Path("out/records.jsonl").read_bytes() == records


def test_a_dataset_that_changed_under_its_records(main: Main) -> None:
    assert main(*BASE, "hydra.run.dir=out")[0] == 0
    Path("p.jsonl").write_text('{"id": 1, "question": "another?", "answer": 9}\n')
    components.forget()
    code, _, err = main(*BASE, "hydra.run.dir=out")
    assert code == 2 and "which must have changed" in err


def test_a_bug_keeps_its_traceback(main: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("ttcs.runner.summarize", broken)
    with pytest.raises(ZeroDivisionError):
        main(*BASE)


def test_an_interrupt_says_how_to_go_on(main: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ttcs.runner.summarize", interrupted)
    assert main(*BASE)[::2] == (130, "interrupted: the same command goes on from here\n")
    monkeypatch.undo()


def test_help_names_groups_options_and_examples(main: Main) -> None:
    code, out, _ = main("--help")
    assert code == 0
    assert re.search(r"^  \* best_of_n +n independent solutions\.", out, re.MULTILINE)
    assert "python -m ttcs strategy=dvts n=64" in out
    assert "temperature: 0.8" in out


def test_cfg_shows_the_job(main: Main) -> None:
    code, out, _ = main("--cfg", "job", "strategy=dvts", "n=64")
    assert code == 0 and "ttcs.strategies.dvts.DVTS" in out and "64" in out


def test_a_sweep_of_one(main: Main) -> None:
    code, _, err = main(*BASE, "strategy=dvts", "n=8", "-m")
    assert (code, err) == (0, "")
    (summary,) = Path("outputs").rglob("summary.json")
    assert summary.parent.name.startswith("n=8_seed=0-")


def test_as_typed_from_any_directory(tmp_path: Path) -> None:
    """The real command: no torch for a scripted pair, nothing on stderr, the same folder the second time."""
    (tmp_path / "p.jsonl").write_text('{"id": 1, "question": "?", "answer": 1}\n')
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONPROFILEIMPORTTIME": "1"}
    result = subprocess.run(
        [sys.executable, "-m", "ttcs", *BASE], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    lines = result.stderr.splitlines()
    imported = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    assert "hydra" in imported and not imported & {"torch", "transformers", "vllm"}
    assert [line for line in lines if not line.startswith("import time:")] == []
    assert (tmp_path / result.stdout.split()[-1]).is_file()  # the path of the plot is the last thing said
