"""A model on disk -> what tells it from another one at the same path, in milliseconds however large it is.

Small files are hashed whole. Of a large file of safetensors it is the size, the header (names, types, shapes) and some
bytes of every tensor, of another large file the size and bytes at even distances: training changes all of a tensor.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import BinaryIO

WHOLE = 1 << 22  # bytes up to which a file is hashed whole
SAMPLE, SAMPLES = 256, 1024  # bytes of a sample, and samples of a file
HEADER = 1 << 26  # bytes: no header of safetensors is as long

WEIGHTS = "*.safetensors", "pytorch_model*.bin", "adapter_model*.bin", "*.gguf"  # the first that there are
SETTINGS = (
    *("config.json", "generation_config.json", "adapter_config.json", "revision.json", "*.index.json", "*.py"),
    *("tokenizer*", "vocab*", "merges.txt", "special_tokens_map.json", "added_tokens.json", "chat_template*"),
)


def fingerprint(place: str, revision: str | None = None) -> dict[str, str]:
    """File -> digest, for a file, the folder of a model or, as `commit`, a copy of one of the Hub's.

    revision: branch or tag of that. Empty where nothing is known: of a text that names no file, or of a model that was
    never downloaded.
    """
    path = Path(place).expanduser()
    with suppress(OSError):  # a text too long for a name
        if path.is_file():
            return {path.name: _digest(path)}
        if path.is_dir():
            return {file.name: _digest(file) for file in _files(path)}
    return _commit(place, revision)


def _files(folder: Path) -> list[Path]:
    weights = next(filter(None, (list(folder.glob(pattern)) for pattern in WEIGHTS)), [])
    settings = chain.from_iterable(folder.glob(pattern) for pattern in SETTINGS)
    return sorted(file for file in {*weights, *settings} if file.is_file())


def _commit(name: str, revision: str | None) -> dict[str, str]:
    """That of the copy in the Hub's cache."""
    if not 0 < len(name) < 200 or not name.replace("/", "").isprintable() or name.count("/") > 1:
        return {}
    from huggingface_hub.constants import HF_HUB_CACHE  # only here: it takes its time to import

    ref = Path(HF_HUB_CACHE, f"models--{name.replace('/', '--')}", "refs", revision or "main")
    return {"commit": ref.read_text(encoding="utf-8").strip()} if ref.is_file() else {}


def _digest(path: Path) -> str:
    state = path.stat()
    return _read(path.resolve(), state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=1024)
def _read(path: Path, size: int, changed_ns: int) -> str:
    """changed_ns: only to read again what was written since."""
    total = blake2b(str(size).encode(), digest_size=8)
    with path.open("rb") as file:
        for part in [file.read()] if size <= WHOLE else _parts(file, size):
            total.update(part)
    return total.hexdigest()


def _parts(file: BinaryIO, size: int) -> Iterator[bytes]:
    header = _header(file, size)
    yield header
    for start in _thinned(_middles(header) or range(0, size, max(SAMPLE, size // SAMPLES))):
        file.seek(len(header) + start if header else start)
        yield file.read(SAMPLE)


def _header(file: BinaryIO, size: int) -> bytes:
    """Of a file of safetensors, its length included; empty where it is none."""
    first = file.read(8)
    length = int.from_bytes(first, "little")
    body = file.read(length) if length < min(HEADER, size) else b""
    return first + body if body.startswith(b"{") else b""


def _middles(header: bytes) -> list[int]:
    """Of the tensors, in bytes from the end of the header."""
    with suppress(ValueError, KeyError, TypeError):
        tensors = [tensor for name, tensor in json.loads(header[8:]).items() if name != "__metadata__"]
        return sorted(sum(tensor["data_offsets"]) // 2 for tensor in tensors)
    return []


def _thinned(starts: Iterable[int]) -> list[int]:
    every = list(starts)
    return every[:: -(-len(every) // SAMPLES)] if every else []
