"""The one way in which stages train: transformers' Trainer, which goes on after a kill as if there had been none."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, Trainer, TrainingArguments
from transformers.trainer import TRAINING_ARGS_NAME
from transformers.utils import logging

from ttcs.errors import UserError
from ttcs.training.bar import Bar
from ttcs.training.checkpoints import Ended, Order, last_whole
from ttcs.training.curves import Curves
from ttcs.training.lora import ADAPTER, adapted, merged
from ttcs.training.output import begun, finished, free, unfinished
from ttcs.training.precision import keep, precision

DEFAULTS = {
    "report_to": "none",
    "disable_tqdm": True,  # `Bar` says how it goes
    "include_num_input_tokens_seen": "non_padding",
    "restore_callback_states_from_checkpoint": True,
}

# What newer versions call it; the stages have the older name, which all of them know.
OLD, NEW = "gradient_checkpointing", "activation_checkpointing"
RENAMED = {OLD: NEW, f"{OLD}_kwargs": f"{NEW}_kwargs"} if hasattr(TrainingArguments, NEW) else {}


def fit(
    model: Any,
    tokenizer: Any,
    train: Any,
    held_out: Any | None,
    collator: Callable[..., Any],
    out: str,
    work: str,
    seed: int,
    arguments: Mapping[str, Any],
    loss: Callable[..., Any] | None = None,
    callbacks: Sequence[Any] = (),
    lora: Mapping[str, Any] | None = None,
    after: int | None = None,
    beside: Callable[[str], None] | None = None,
    saved: str | None = None,
) -> None:
    """Train the model and save it with its tokenizer to `out`, which is there only when everything is in it.

    Goes on from the last whole checkpoint in `work`, where curves.csv is too.
    held_out: what is evaluated on. arguments: fields of transformers' TrainingArguments. loss: (outputs, labels,
    num_items_in_batch) -> loss; None: the model's own. lora: fields of peft's LoraConfig: an adapter is trained, merged
    into the model that is saved, and kept beside it. after: training stops so many evaluations after the one with the
    least loss. beside: writes into the folder what else belongs there. saved: the precision that the weights have in
    `out`, bfloat16, say, whatever they are trained in (None: that).
    UserError for arguments that do not exist.
    """
    kept = precision(saved)
    free(Path(out))
    logging.disable_progress_bar()  # of every file that is written: `Bar` says how it goes
    settings = _settings(work, seed, arguments)
    base = copy.deepcopy(model) if lora and settings.should_save else None  # training may shard the other one
    trainer = Trainer(
        model=adapted(model, lora) if lora else model,
        args=settings,
        train_dataset=train,
        eval_dataset=held_out,
        processing_class=tokenizer,
        data_collator=collator,
        compute_loss_func=loss,
        callbacks=[Order(seed), Ended(after), *callbacks, Curves(), Bar(Path(out).name)],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=last_whole(work))
    written = begun(Path(out)) if settings.should_save else unfinished(Path(out))
    _gather(trainer, written / ADAPTER if lora else written)
    if settings.should_save:
        if base is not None:
            merged(base, written / ADAPTER).save_pretrained(written)
            tokenizer.save_pretrained(written)
        if kept is not None:
            keep(written, kept)
        if beside is not None:
            beside(str(written))
        finished(Path(out))


def _settings(work: str, seed: int, given: Mapping[str, Any]) -> Any:
    cpu = not torch.cuda.is_available()
    arguments = {RENAMED.get(name, name): value for name, value in given.items()}
    if cpu and arguments.get("bf16") and _emulated():
        print("bf16: this processor has no instructions for it, which makes it several times slower; float32 is used")
        arguments["bf16"] = False
    try:
        return TrainingArguments(**{**DEFAULTS, "output_dir": work, "seed": seed, "use_cpu": cpu, **arguments})
    except (TypeError, ValueError) as error:
        raise UserError(f"stage.arguments: {error}") from error


def _emulated() -> bool:
    """Whether this processor computes bfloat16 in software: six times as slow as float32 where it was measured."""
    able: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return able.get("architecture") == "x86_64" and not (able.get("avx512_bf16") or able.get("amx_bf16"))


def _gather(trainer: Any, folder: Path) -> None:
    """Save what was trained, with its tokenizer. Every process takes part where it is sharded; the first one writes."""
    if trainer.is_fsdp_enabled:
        trainer.accelerator.state.fsdp_plugin.set_state_dict_type("FULL_STATE_DICT")
    trainer.save_model(str(folder))
    (folder / TRAINING_ARGS_NAME).unlink(missing_ok=True)
