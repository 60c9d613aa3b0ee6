"""Checkpoints belong to the settings that they were trained with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ttcs.config.identity import settings
from ttcs.config.writable import made
from ttcs.errors import UserError
from ttcs.records.folder import difference, write

FILE = "stage.json"
# How long, how often looked at, where to, how it is kept: a training can go on with others of these.
FREE = {
    "out",
    "saved",
    *(f"arguments.{name}" for name in ("max_steps", "num_train_epochs", "logging_steps", "eval_steps", "save_steps")),
    *(f"arguments.{name}" for name in ("save_total_limit", "per_device_eval_batch_size", "disable_tqdm")),
}


def claim(stage: Mapping[str, Any], first: bool) -> None:
    """Make the stage's `work` folder, if it has one, its own. first: of several processes, the one that writes.

    UserError where there are checkpoints of other settings: training would go on from them.
    """
    if "work" not in stage:
        return
    work = Path(stage["work"])
    file = work / FILE
    here = {key: value for key, value in settings(stage).items() if key not in FREE}
    if file.exists() and any(work.glob("checkpoint-*")):
        if keys := difference(json.loads(file.read_text(encoding="utf-8")), here):
            raise UserError(f"{work} has checkpoints of other settings: {keys}; choose another stage.work")
    elif first:
        made(work)
        write(file, json.dumps(here, indent=2) + "\n")
