"""The curves of a training: curves.csv in the folder of its checkpoints, a line for every step that was logged."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from transformers import TrainerCallback

from ttcs.config.writable import made
from ttcs.records.folder import write
from ttcs.training.output import CURVES

COLUMNS = {
    "step": "step",
    "epoch": "epoch",
    "num_input_tokens_seen": "tokens",
    "seconds": "seconds",
    "loss": "loss",
    "eval_loss": "eval_loss",
    "learning_rate": "learning_rate",
}


class Curves(TrainerCallback):  # type: ignore[misc]
    """Writes what Trainer has logged, which its checkpoints keep: no step, token or second is there twice.

    Seconds are those of all sessions, without what a kill has thrown away.
    """

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        before = max((log.get("seconds", 0.0) for log in state.log_history), default=0.0)
        self._began = monotonic() - before

    def on_log(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        state.log_history[-1]["seconds"] = round(monotonic() - self._began, 3)
        if state.is_world_process_zero:
            path = Path(args.output_dir) / CURVES
            made(path.parent)
            write(path, table(state.log_history))


def table(history: Sequence[Mapping[str, Any]]) -> str:
    """CSV. A step has one line, with the loss of training, of an evaluation, or both."""
    rows: dict[int, dict[str, Any]] = {}
    for log in history:
        if "loss" in log or "eval_loss" in log:
            rows.setdefault(log["step"], {}).update({COLUMNS[key]: log[key] for key in COLUMNS if key in log})
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS.values(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows.values())
    return text.getvalue()
