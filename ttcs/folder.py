"""The folder of a run: it belongs to one configuration, and says which."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from yaml import YAMLError  # type: ignore[import-untyped]

from ttcs.errors import UserError
from ttcs.identity import identity, portable

CONFIG, RECORDS, SUMMARY, VERSIONS = "config.yaml", "records.jsonl", "summary.json", "versions.json"
LIBRARIES = ("ttcs", "torch", "transformers", "tokenizers", "vllm", "math-verify", "sympy", "hydra-core", "numpy")
NAMED = 3  # differing keys that a refusal names


def claim(folder: Path, config: Mapping[str, Any]) -> None:
    """Make the folder this configuration's, or raise UserError if it has records of another one.

    config: `identity.portable`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    records = folder / RECORDS
    if records.exists() and records.stat().st_size:
        _compare(folder, config)
        return
    write(folder / VERSIONS, json.dumps(_versions(), indent=2) + "\n")
    write(folder / CONFIG, OmegaConf.to_yaml(OmegaConf.create(dict(config))))


def write(path: Path, text: str) -> None:
    """All of the file or nothing of it, even when killed half way."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def _compare(folder: Path, config: Mapping[str, Any]) -> None:
    there, here = identity(portable(_load(folder / CONFIG))), identity(config)
    every = sorted({**here, **there}, key=lambda key: key.count("."))
    keys = [key for key in every if here.get(key, "absent") != there.get(key, "absent")]
    if not keys:
        return
    named = ", ".join(
        f"{key} is {there.get(key, 'absent')} there and {here.get(key, 'absent')} here" for key in keys[:NAMED]
    )
    more = f", and {len(keys) - NAMED} more keys differ" if len(keys) > NAMED else ""
    raise UserError(f"{folder} belongs to another configuration: {named}{more}; choose another hydra.run.dir")


def _load(path: Path) -> DictConfig:
    try:
        config = OmegaConf.load(path)
    except FileNotFoundError as error:
        raise UserError(f"{path.parent} holds {RECORDS} but no {CONFIG}; choose another hydra.run.dir") from error
    except (YAMLError, OSError) as error:
        raise UserError(f"{path} cannot be read") from error
    if not isinstance(config, DictConfig):
        raise UserError(f"{path} is not the configuration of a run")
    return config


def _versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        **dict(filter(None, map(_library, LIBRARIES))),
    }


def _library(name: str) -> tuple[str, str] | None:
    try:
        return name, version(name)
    except PackageNotFoundError:
        return None
