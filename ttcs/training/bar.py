"""What a person sees while a stage trains."""

from __future__ import annotations

from time import monotonic
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback

from ttcs.running.progress import console


class Bar(TrainerCallback):  # type: ignore[misc]
    """Steps, loss and tokens/s since the last log: a bar on a terminal, else a line each time Trainer logs."""

    def __init__(self, title: str) -> None:
        self._title = title

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._said, self._tokens = monotonic(), state.num_input_tokens_seen
        shown = state.is_world_process_zero and console.is_terminal
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[loss]}"),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=console, transient=True, disable=not shown)
        self._task = self._progress.add_task(self._title, total=state.max_steps, completed=state.global_step, loss="")
        self._progress.start()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._progress.update(self._task, completed=state.global_step)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **_: Any) -> None:
        if not state.is_world_process_zero or not {"loss", "eval_loss"} & logs.keys():
            return
        said = [f"{key.replace('_', ' ')} {logs[key]:.4f}" for key in ("loss", "eval_loss") if key in logs]
        rate = self._rate(state.num_input_tokens_seen)  # an evaluation ends here too, and its time does not count
        if "loss" in logs:
            said.append(rate)
        self._progress.update(self._task, loss="  ".join(said))
        if not console.is_terminal or "eval_loss" in logs:
            console.print(f"{self._title} {state.global_step}/{state.max_steps}", *said, sep="  ")

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._progress.stop()

    def _rate(self, tokens: int) -> str:
        now = monotonic()
        rate = (tokens - self._tokens) / max(now - self._said, 1e-9)
        self._said, self._tokens = now, tokens
        return f"{rate:,.0f} tokens/s"
