"""The folder of a run: it belongs to one configuration, and says which."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from yaml import YAMLError  # type: ignore[import-untyped]

from ttcs.errors import UserError
from ttcs.identity import identity, portable
from ttcs.unicode import HALF

CONFIG, RECORDS, SUMMARY, VERSIONS = "config.yaml", "records.jsonl", "summary.json", "versions.json"
LIBRARIES = ("ttcs", "torch", "transformers", "tokenizers", "vllm", "math-verify", "sympy", "hydra-core", "numpy")
NAMED = 3  # differing keys that a refusal names


def claim(folder: Path, config: Mapping[str, Any], option: str = "hydra.run.dir") -> None:
    """Make the folder this configuration's, or raise UserError if it has records of another one.

    config: `identity.portable`; UserError for text in it that no file holds and no tokenizer reads. option: what a
    person names the folder with.
    """
    if halves := [key for key, value in identity(config).items() if isinstance(value, str) and HALF.search(value)]:
        raise UserError(f"{halves[0]} holds half a surrogate pair, which is no character")
    folder.mkdir(parents=True, exist_ok=True)
    records = folder / RECORDS
    if records.exists() and records.stat().st_size:
        there = identity(portable(load(folder / CONFIG)))
        if keys := difference(there, identity(config)):
            raise UserError(f"{folder} belongs to another configuration: {keys}; choose another {option}")
        return
    write(folder / VERSIONS, json.dumps(_versions(), indent=2) + "\n")
    write(folder / CONFIG, OmegaConf.to_yaml(OmegaConf.create(dict(config))))


@contextmanager
def undone(folder: Path) -> Iterator[None]:
    """Where what is done inside fails, the folder is as it was before: files and folders that are new are gone."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    before = set(folder.iterdir()) if folder.is_dir() else set()
    try:
        yield
    except BaseException:
        for file in (set(folder.iterdir()) if folder.is_dir() else set()) - before:
            file.unlink()
        for path in made:
            if path.is_dir():
                path.rmdir()
        raise


def write(path: Path, text: str) -> None:
    """All of the file or nothing of it, even when killed half way."""
    write_lines(path, [text])


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """As `write`; nothing of the file either where `lines` raises."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.writelines(lines)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def difference(
    there: Mapping[str, Any], here: Mapping[str, Any], names: tuple[str, str] = ("there", "here")
) -> str | None:
    """The keys in which two identities differ, by value; None: they do not. names: what the two are called."""
    every = sorted({**here, **there}, key=lambda key: key.count("."))
    keys = [key for key in every if here.get(key, "absent") != there.get(key, "absent")]
    if not keys:
        return None
    named = ", ".join(
        f"{key} is {there.get(key, 'absent')} {names[0]} and {here.get(key, 'absent')} {names[1]}"
        for key in keys[:NAMED]
    )
    return named + (f", and {len(keys) - NAMED} more keys differ" if len(keys) > NAMED else "")


def load(path: Path) -> DictConfig:
    """The configuration of a run, from its folder."""
    try:
        config = OmegaConf.load(path)
    except FileNotFoundError as error:
        raise UserError(f"{path.parent} holds {RECORDS} but no {CONFIG}: it is not the folder of a run") from error
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
