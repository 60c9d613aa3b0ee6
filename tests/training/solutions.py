"""Labelled solutions for tests of training, as a rollout file has them, and a stage that learns from them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ttcs.prms.format import Format
from ttcs.training.rollout_file import RolloutFolder
from ttcs.training.verifier import Verifier

# What keeps a training run of a test small and quiet.
ARGUMENTS = {"per_device_train_batch_size": 8, "report_to": "none", "logging_steps": 50, "disable_tqdm": True}
STOPPING = {
    "eval_strategy": "epoch",
    "save_strategy": "epoch",
    "load_best_model_at_end": True,
    "metric_for_best_model": "eval_loss",
    "greater_is_better": False,
}


def lines(count: int = 160, soft: float = 0.75) -> Iterator[dict[str, Any]]:
    """Two solutions a question, whose text tells the label: the loss can reach the labels' entropy."""
    for i in range(count):
        good = i % 2 == 0
        yield {
            "problem_id": f"q{i // 2}",
            "question": f"Compute {i // 2}.",
            "correct": good,
            "steps": [f"## Step 1: Add: ${i} + 1 = {i + 1 if good else 0}$.", "So it is."],
            "labels": [soft if good else 0.0, float(good)],
        }


def write(folder: Path, solutions: Iterator[Mapping[str, Any]]) -> str:
    folder.mkdir()
    (folder / "0.jsonl").write_text("".join(json.dumps(line) + "\n" for line in solutions) + '{"done": "q0"}\n')
    return str(folder)


def stage(tmp_path: Path, format: Format, start: str, **changes: Any) -> Verifier:
    rollouts = tmp_path / "rollouts"
    settings: dict[str, Any] = {
        "solutions": RolloutFolder(str(rollouts) if rollouts.exists() else write(rollouts, lines())),
        "format": format,
        "start": start,
        "out": str(tmp_path / "out"),
        "work": str(tmp_path / "work"),
        "seed": 0,
        "validation": 0.2,
        "patience": 12,
        "arguments": ARGUMENTS | STOPPING | {"num_train_epochs": 1, "learning_rate": 3e-3},
    }
    return Verifier(**(settings | changes))
