"""Loads a language model and its tokenizer from a local folder or the Hub, with errors a user can act on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase
from transformers.utils import logging

from ttcs.core import ModelSize
from ttcs.errors import UserError


def load_tokenizer(model: str, trust_remote_code: bool = False) -> PreTrainedTokenizerBase:
    """trust_remote_code: run the code that comes with the checkpoint, if it has its own."""
    if model.startswith((".", "/", "~")) and not Path(model).is_dir():
        raise UserError(f"there is no model folder {model}")
    if Path(model).is_dir() and not any((Path(model) / name).exists() for name in TOKENIZER_FILES):
        raise UserError(f"model folder {model} has no tokenizer (none of {', '.join(TOKENIZER_FILES)})")
    try:
        return AutoTokenizer.from_pretrained(model, trust_remote_code=trust_remote_code)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot load a tokenizer from {model}: {_first_line(error)}") from error


def load_config(model: str, trust_remote_code: bool = False) -> Any:
    """The checkpoint's config. trust_remote_code: as above."""
    try:
        return AutoConfig.from_pretrained(model, trust_remote_code=trust_remote_code)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot load the config of {model}: {_first_line(error)}") from error


def load_model(model: str, dtype: str, device: str, kind: Any = AutoModelForCausalLM, **settings: Any) -> Any:
    """A model in evaluation mode, by default a causal language model.

    dtype `auto`: float32 on CPU, else the checkpoint's own. kind: the transformers class; settings: more for its
    `from_pretrained`. UserError when the checkpoint lacks weights of that class, which would be random.
    """
    place = pick_device(device)
    precision = "float32" if dtype == "auto" and place.type == "cpu" else dtype
    logging.disable_progress_bar()  # a run has a bar of its own
    try:
        loaded, report = kind.from_pretrained(model, dtype=precision, output_loading_info=True, **settings)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot load a model from {model}: {_first_line(error)}") from error
    if missing := sorted(report["missing_keys"]):
        raise UserError(f"{model} has no weights {', '.join(missing[:3])}: it is no {type(loaded).__name__}")
    return loaded.to(place).eval()


def pick_device(device: str) -> torch.device:
    """`auto`: the first CUDA device, else the CPU."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise UserError(f"device={device}, but this machine has no CUDA device")
    return torch.device(device)


def model_size(name: str, model: Any) -> ModelSize:
    """Sizes for FLOPs: all weights but the input embedding table, unless it is the output head too."""
    total = sum(weight.numel() for weight in model.parameters())
    table, head = model.get_input_embeddings(), model.get_output_embeddings()
    tied = head is not None and head.weight is table.weight
    config = model.config.get_text_config()
    parameters = total if tied else total - table.weight.numel()
    return ModelSize(name, parameters, config.num_hidden_layers, config.hidden_size)


def scorer_size(name: str, model: Any, head: int) -> ModelSize:
    """Sizes of a PRM: the layers and a head of `head` weights; a language model's own head is not run."""
    layers = (
        sum(weight.numel() for weight in model.base_model.parameters()) - model.get_input_embeddings().weight.numel()
    )
    config = model.config.get_text_config()
    return ModelSize(name, layers + head, config.num_hidden_layers, config.hidden_size)


def context_length(config: Any) -> int:
    """The longest sequence a model reads, in tokens; without bounds if its config says nothing."""
    return getattr(config.get_text_config(), "max_position_embeddings", None) or 1 << 30


TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
