"""What a kill leaves behind: which checkpoints are whole, and how training goes on from them as if nothing had been."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback
from transformers.trainer_utils import IntervalStrategy, sort_checkpoints

STATE = "trainer_state.json"


def last_whole(work: str) -> str | None:
    """The latest checkpoint that was written to its end; those that a kill has cut short are passed over."""
    return next((path for path in reversed(sort_checkpoints(work)) if _whole(Path(path))), None)


def _whole(checkpoint: Path) -> bool:
    """Trainer writes the state last, but for the random numbers of the processes after the first."""
    try:
        json.loads((checkpoint / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return all(zipfile.is_zipfile(path) for path in checkpoint.glob("rng_state*.pth"))


class Order(TrainerCallback):  # type: ignore[misc]
    """The order of the examples of an epoch follows from the seed and its number, whatever was drawn before.

    Trainer sees to that itself, but not where batches are grouped by length: after a kill in the middle of an epoch it
    would skip other examples than it has trained on.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        torch.manual_seed(self._seed * 100_003 + int(state.epoch or 0))


class Ended(TrainerCallback):  # type: ignore[misc]
    """Stops `after` evaluations past the one with the least loss (None: only after the last step).

    The last step is evaluated, whatever the number of steps between two evaluations: else its weights, where the
    learning rate has come down to zero, would not be among those of which the best are kept.
    From a checkpoint of the end, Trainer takes one step more before it looks: that one is made a step of length 0.
    """

    def __init__(self, after: int | None) -> None:
        self._after = after
        self._over = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._over = state.global_step >= state.max_steps or self._risen(state)

    def on_step_begin(self, args: Any, state: Any, control: Any, optimizer: Any = None, **_: Any) -> None:
        if self._over:
            for group in optimizer.param_groups:
                group["lr"] = 0.0

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._over:
            control.should_training_stop = True
            control.should_log = control.should_evaluate = control.should_save = False
        elif state.global_step >= state.max_steps and IntervalStrategy(args.eval_strategy) != IntervalStrategy.NO:
            control.should_evaluate = True

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        control.should_training_stop |= self._risen(state)

    def _risen(self, state: Any) -> bool:
        return self._after is not None and past_minimum(state.log_history) >= self._after


def past_minimum(history: Sequence[Mapping[str, Any]]) -> int:
    """How many evaluations ago the loss was least."""
    losses = [log["eval_loss"] for log in history if "eval_loss" in log]
    return len(losses) - 1 - losses.index(min(losses)) if losses else 0
