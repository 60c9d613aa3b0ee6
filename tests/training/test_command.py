import subprocess
import sys
from pathlib import Path

import pytest

from tests.typed import typed
from ttcs.training.__main__ import main

ROOT = Path(__file__).parents[2]


def train(*overrides):
    command = [sys.executable, "-m", "ttcs.training", *overrides]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_a_stage_runs_and_bad_input_is_one_line(tmp_path):
    done = train("stage=zoo_validation", "stage.size=5", f"work={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "validation.jsonl").read_text().splitlines()) == 5
    failed = train("stage=zoo_prm", f"work={tmp_path}", "stage.start=ttcs/zoo/models/policy")
    assert failed.returncode == 2
    assert failed.stderr.splitlines()[-1] == f"error: no rollouts (*.jsonl) in {tmp_path}/rollouts"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["stage=zoo_test", "stage.size=0"], "stage.size=0 is not a whole number of at least 1"),
        (["stage=zoo_test", "seed=-1"], "seed=-1 is not a whole number of at least 0"),
        (["stage=prm", "stage.start=m", "stage.flip=2"], "stage.flip=2 is not a number of at least 0 and at most 1"),
        (
            ["stage=zoo_policy", "stage.arguments.learning_rate=nan"],
            "stage.arguments.learning_rate=nan is not a number",
        ),
        (["stage=zoo_traces", "stage.care=[1.0,-1]"], "stage.care=[1.0, -1] is not a number of at least 0"),
        (["stage=zoo_testt"], "stage has no option zoo_testt (nearest: zoo_test"),
        (["stage=zoo_test", "stage.sise=3"], "there is no key stage.sise (nearest: stage.size"),
        (["stage=zoo_test", "stage.out=a, b"], """quote it: 'stage.out="a, b"'"""),
        (["stage=zoo_test", r"stage.out=a\nb"], "stage.out has \\n in it, which stays two characters"),
        (["stage=zoo_test", "seed=${oc.env:NOPE}"], "seed: Environment variable 'NOPE' not found"),
        (["--resolve"], "--resolve goes with --cfg"),
        (["--nope"], "unrecognized arguments: --nope"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line(tmp_path, monkeypatch, capsys, arguments, line):
    code, out, err = typed("ttcs.training", main, monkeypatch, capsys, f"work={tmp_path}/w")(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("error: ") and line in err
    assert not list(tmp_path.iterdir())
