"""The zoo's trained models, run as a user runs them. After retraining: `python -m tests.zoo.test_models`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import ttcs.zoo
from tests import tiny
from ttcs.core import Continue, Judge, Stop, Trajectory
from ttcs.policies.transformers import TransformersPolicy
from ttcs.prms.rlhflow import RLHFlow
from ttcs.prms.transformers import TransformersPRM

MODELS = Path(ttcs.zoo.__file__).parent / "models"
ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden" / "prm.json"
SOLUTIONS = {
    "right": ("## Step 1: Multiply: $4 \\cdot 7 = 28$.\n\n", "## Step 2: Add: $3 + 28 = 31$.\n\n"),
    "misconception": (
        "## Step 1: Go from left to right: $3 + 4 = 7$.\n\n",
        "## Step 2: Multiply: $7 \\cdot 7 = 49$.\n\n",
    ),
    "slip": ("## Step 1: Multiply: $4 \\cdot 7 = 28$.\n\n", "## Step 2: Add: $3 + 28 = 39$.\n\n"),
}


def scores():
    prm = TransformersPRM(RLHFlow(), str(MODELS / "prm"), 8, "float32", "cpu")
    for ticket, steps in enumerate(SOLUTIONS.values()):
        prm.add(ticket, Judge(tiny.trajectory(*steps)))
    results = dict(prm.step())
    return {name: [round(score, 4) for score in results[i].scores] for i, name in enumerate(SOLUTIONS)}


def test_prm_scores_are_the_golden_ones():
    golden = json.loads(GOLDEN.read_text())
    for name, found in scores().items():
        assert found == pytest.approx(golden[name], abs=2e-3), name


def test_the_prm_tells_the_right_rule_from_a_misconception():
    found = scores()
    assert found["right"][0] > found["misconception"][0] + 0.5


def test_the_policy_writes_steps_and_ends_them_where_it_should():
    policy = TransformersPolicy(str(MODELS / "policy"), 0.8, 1.0, 320, 8, "float32", "cpu")
    for ticket in range(8):
        policy.add(ticket, Continue(Trajectory(tiny.PROBLEM), None, None, 0.8, ticket))
    done = {}
    while len(done) < 8:
        done.update(policy.step())
    for result in done.values():
        *steps, last = result.steps
        assert last.stop is Stop.END
        assert all(step.stop is Stop.STEP and step.text.endswith("\n\n") for step in steps)
        assert all(step.text.startswith("## Step") for step in steps)


def ttcs_run(folder, *overrides):
    command = [sys.executable, "-m", "ttcs", "dataset.limit=5", "n=4", f"hydra.run.dir={folder}", *overrides]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.mark.slow
def test_the_main_job_end_to_end_and_again(tmp_path):
    folder = tmp_path / "run"
    first = ttcs_run(folder)
    assert first.returncode == 0, first.stderr
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["n_problems"] == 5
    assert summary["ledger"]["prm_tokens"] > 0
    assert (folder / "accuracy.png").stat().st_size > 10_000
    records = (folder / "records.jsonl").read_text()
    assert ttcs_run(folder).returncode == 0
    assert (folder / "records.jsonl").read_text() == records


@pytest.mark.slow
def test_majority_voting_never_loads_the_prm(tmp_path):
    done = ttcs_run(tmp_path / "run", "selection=majority", "prm.model=/nowhere")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["ledger"]["prm_calls"] == 0


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(scores(), indent=1) + "\n")
