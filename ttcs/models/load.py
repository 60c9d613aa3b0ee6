"""Loads a language model and its tokenizer from a local folder or the Hub, with errors a user can act on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase
from transformers.utils import logging

from ttcs.core import ModelSize
from ttcs.errors import UserError, told
from ttcs.models.damage import CONFIG, check_texts, check_weights


def load_tokenizer(model: str, trust_remote_code: bool = False) -> PreTrainedTokenizerBase:
    """trust_remote_code: run the code that comes with the checkpoint, if it has its own."""
    if model.startswith((".", "/", "~")) and not Path(model).is_dir():
        raise UserError(f"there is no model folder {model}")
    if Path(model).is_dir() and not any((Path(model) / name).exists() for name in TOKENIZER_FILES):
        raise UserError(f"model folder {model} has no tokenizer (none of {', '.join(TOKENIZER_FILES)})")
    check_texts(model, TOKENIZER_FILES)
    with failing(f"cannot load a tokenizer from {model}"):
        return AutoTokenizer.from_pretrained(model, trust_remote_code=trust_remote_code)


def load_config(model: str, trust_remote_code: bool = False) -> Any:
    """The checkpoint's config. trust_remote_code: as above."""
    check_texts(model)
    if Path(model).is_dir() and not (Path(model) / CONFIG).is_file():
        raise UserError(f"model folder {model} has no {CONFIG}")
    with failing(f"cannot load the config of {model}"):
        return AutoConfig.from_pretrained(model, trust_remote_code=trust_remote_code)


def load_model(model: str, dtype: str, device: str, kind: Any = AutoModelForCausalLM, **settings: Any) -> Any:
    """A model in evaluation mode, by default a causal language model.

    dtype `auto`: float32 on CPU, else the checkpoint's own. kind: the transformers class; settings: more for its
    `from_pretrained`. UserError when the checkpoint lacks weights of that class, or has them in other shapes: they
    would be random.
    """
    place = pick_device(device)
    precision = "float32" if dtype == "auto" and place.type == "cpu" else _dtype(dtype)
    check_weights(model)
    logging.disable_progress_bar()  # a run has a bar of its own
    with failing(f"cannot load a model from {model}"):
        loaded, report = kind.from_pretrained(
            model, dtype=precision, output_loading_info=True, ignore_mismatched_sizes=True, **settings
        )
    if mismatched := sorted(report["mismatched_keys"]):
        name, there, wanted = mismatched[0]
        raise UserError(f"{model}: its weights {name} are {_shape(there)}, and by its config they are {_shape(wanted)}")
    if missing := sorted(report["missing_keys"]):
        raise UserError(f"{model} has no weights {', '.join(missing[:3])}: it is no {type(loaded).__name__}")
    return loaded.to(place).eval()


def pick_device(device: str) -> torch.device:
    """`auto`: the first CUDA device, else the CPU. UserError for what this machine does not have."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    found = devices()
    if device not in found:
        lacking = "" if torch.cuda.is_available() else "; this machine has no CUDA device"
        raise UserError(f"device={device} is not one of auto, {', '.join(found)}{lacking}")
    return torch.device(device)


def devices() -> list[str]:
    """What torch calls the devices of this machine: cpu, and cuda, cuda:0, ... or mps."""
    kinds = {
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "xpu": torch.xpu.device_count() if torch.xpu.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
    }
    numbered = [[kind, *(f"{kind}:{number}" for number in range(count))] for kind, count in kinds.items() if count]
    return ["cpu", *(name for names in numbered for name in names)]


def _dtype(name: str) -> str:
    if name != "auto" and not isinstance(getattr(torch, name, None), torch.dtype):
        raise UserError(f"dtype={name} is not one of auto, float32, bfloat16, float16")
    return name


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


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


@contextmanager
def failing(what: str) -> Iterator[None]:
    """Whatever kind of exception the libraries have for a checkpoint that they cannot load -> one line.

    what: its beginning. Exceptions that tell a person something already go through.
    """
    try:
        yield
    except Exception as error:
        if told(error) is not None:
            raise
        raise UserError(f"{what}: {_said(error)}") from error


def _said(error: Exception) -> str:
    """Its first line, and the next where that is no more than a heading; by itself a KeyError says only the key."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = " ".join(lines[: 2 if lines and lines[0].endswith(":") else 1])
    return text if isinstance(error, OSError | ValueError) and text else f"{type(error).__name__}: {text}".rstrip(": ")
