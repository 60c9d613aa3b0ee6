import subprocess
import sys
from pathlib import Path

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
