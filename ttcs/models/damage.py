"""What is wrong with the files of a model folder, told before they are loaded: libraries tell it in tracebacks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

from ttcs.errors import UserError

CONFIG = "config.json"
# As transformers and vLLM look for them; an index names the files that share out the weights.
WEIGHTS = "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"
SMALL = CONFIG, "generation_config.json", "tokenizer_config.json", "special_tokens_map.json", "adapter_config.json"
POINTER = b"version https://git-lfs"
ZIP, PICKLE = b"PK", b"\x80"  # what a file of torch's begins with
AGAIN = "copy or download it again"


def check_texts(model: str, names: Sequence[str] = ()) -> None:
    """UserError for a damaged configuration of a model folder, or a damaged one of the other files named.

    A model of the Hub, which is no folder, is left to who downloads it.
    """
    for file in (Path(model) / name for name in (*SMALL, *names)):
        if file.is_file():
            _check_content(file)
            if file.name in SMALL:
                _object(file)


def check_weights(model: str) -> None:
    """UserError where the weights of a model folder cannot be whole. Only their beginnings are read."""
    folder = Path(model)
    if not folder.is_dir():
        return
    if not (folder / CONFIG).is_file():
        raise UserError(f"model folder {model} has no {CONFIG}")
    for file in _weights(folder):
        if not file.is_file():
            raise UserError(f"{file} is missing, and the index of the weights names it: {AGAIN}")
        _check_content(file)
        (_check_safetensors if file.suffix == ".safetensors" else _check_torch)(file)


def check_adapter(folder: str) -> None:
    """As of a model, of an adapter's folder."""
    check_texts(folder)
    if (file := Path(folder) / "adapter_model.safetensors").is_file():
        _check_content(file)
        _check_safetensors(file)


def _weights(folder: Path) -> list[Path]:
    """Those that would be loaded: what else is in the folder may be damaged. None there: for the engine to say."""
    first = next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)
    if first is None or first.suffix != ".json":
        return [] if first is None else [first]
    _check_content(first)
    names = _object(first).get("weight_map")
    if not isinstance(names, dict):
        raise UserError(f"{first} has no weight_map: {AGAIN}")
    return [folder / name for name in sorted(set(names.values()))]


def _check_content(file: Path) -> None:
    """UserError for an empty file, and for what git leaves in the place of a large one."""
    with file.open("rb") as content:
        begin = content.read(len(POINTER))
    if not begin:
        raise UserError(f"{file} is empty: {AGAIN}")
    if begin == POINTER:
        raise UserError(f"{file} is a git-lfs pointer, not the file itself, which `git lfs pull` fetches")


def _object(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except ValueError as error:
        raise UserError(f"{file} is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise UserError(f"{file} has no JSON object in it")
    return found


def _check_safetensors(file: Path) -> None:
    """Eight bytes of length, a header of JSON that long, and the tensors, whose places it names."""
    size = file.stat().st_size
    with file.open("rb") as content:
        length = int.from_bytes(content.read(8), "little")
        header = content.read(min(length, size))
    if not header.startswith(b"{"):
        raise UserError(f"{file} ({size:,} bytes) is no safetensors file: {AGAIN}")
    if len(header) < length:
        raise UserError(f"{file} ends after {size:,} bytes, within its header of {length:,}: {AGAIN}")
    try:
        tensors = [tensor for name, tensor in json.loads(header).items() if name != "__metadata__"]
        whole = 8 + length + max((tensor["data_offsets"][1] for tensor in tensors), default=0)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise UserError(f"{file}: its header is no safetensors header: {AGAIN}") from error
    if size != whole:
        raise UserError(f"{file} has {size:,} bytes, and its header says {whole:,}: {AGAIN}")


def _check_torch(file: Path) -> None:
    with file.open("rb") as content:
        begin = content.read(2)
    if not begin.startswith((ZIP, PICKLE)):
        raise UserError(f"{file} ({file.stat().st_size:,} bytes) is no file of torch's: {AGAIN}")
    if begin == ZIP and not is_zipfile(file):
        raise UserError(f"{file} ends after {file.stat().st_size:,} bytes, before its end: {AGAIN}")
