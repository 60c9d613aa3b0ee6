"""A copy of a checkpoint in which some weights have other names, for engines that look for those."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch
from huggingface_hub import snapshot_download

from ttcs.errors import UserError


def repack(model: str, names: Mapping[str, str], config: Mapping[str, Any]) -> str:
    """A folder with the checkpoint's files, its weights renamed (old name -> new), and `config` set in its config.

    Made once and kept in the user's cache folder. Only shards with a renamed weight are written anew, all other files
    are links. UserError when there is no such checkpoint or none of its files has the weights.
    """
    source = _folder(model)
    stamp = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in sorted(source.iterdir())]
    digest = blake2b(repr((str(source), stamp, names, config)).encode(), digest_size=8).hexdigest()
    target = _cache() / f"{Path(model).name}-{digest}"
    if target.is_dir():
        return str(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        _fill(draft, source, names, config)
        draft.rename(target)
    except OSError as error:
        if not target.is_dir():  # else another process was first
            raise UserError(f"cannot write a copy of {model} for vLLM under {target.parent}: {error}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return str(target)


def _folder(model: str) -> Path:
    if Path(model).is_dir():
        return Path(model).resolve()
    try:
        return Path(snapshot_download(model))
    except (OSError, ValueError) as error:
        raise UserError(f"cannot fetch {model}: {(str(error).splitlines() or [''])[0]}") from error


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ttcs"


def _fill(draft: Path, source: Path, names: Mapping[str, str], config: Mapping[str, Any]) -> None:
    renamed: set[str] = set()
    for file in filter(Path.is_file, source.iterdir()):
        copy = draft / file.name
        if file.name == "config.json":
            kept = {key: value for key, value in json.loads(file.read_text()).items() if key != "auto_map"}
            copy.write_text(json.dumps(kept | dict(config), indent=2))
        elif file.name.endswith(".index.json"):
            index = json.loads(file.read_text())
            index["weight_map"] = {names.get(name, name): shard for name, shard in index["weight_map"].items()}
            copy.write_text(json.dumps(index))
        elif found := _rename(file, copy, names):
            renamed |= found
        else:
            copy.symlink_to(file.resolve())
    if missing := names.keys() - renamed:
        raise UserError(f"{source} has no weights {', '.join(sorted(missing))}")


def _rename(file: Path, copy: Path, names: Mapping[str, str]) -> set[str]:
    """Those weights in a file that have new names; it is copied if there are any."""
    if file.suffix == ".safetensors":
        return _rename_safetensors(file, copy, names)
    if file.match("pytorch_model*.bin"):
        return _rename_pickle(file, copy, names)
    return set()


def _rename_safetensors(file: Path, copy: Path, names: Mapping[str, str]) -> set[str]:
    """Only the header holds names: eight bytes of length, then JSON; the tensors' places count from its end."""
    with file.open("rb") as source:
        header = json.loads(source.read(int.from_bytes(source.read(8), "little")))
        if not (found := header.keys() & names.keys()):
            return set()
        text = json.dumps({names.get(name, name): tensor for name, tensor in header.items()}).encode()
        text += b" " * (-len(text) % 8)
        with copy.open("wb") as target:
            target.write(len(text).to_bytes(8, "little") + text)
            shutil.copyfileobj(source, target, 1 << 24)
    return set(found)


def _rename_pickle(file: Path, copy: Path, names: Mapping[str, str]) -> set[str]:
    weights = torch.load(file, map_location="cpu", mmap=True, weights_only=True)
    if found := weights.keys() & names.keys():
        torch.save({names.get(name, name): weight for name, weight in weights.items()}, copy)
    return set(found)
