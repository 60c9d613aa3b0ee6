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

from ttcs.config import file
from ttcs.config.identity import identity, portable
from ttcs.config.moved import current
from ttcs.config.unicode import broken
from ttcs.config.writable import made, writing
from ttcs.errors import UserError

CONFIG, RECORDS, SUMMARY, VERSIONS = "config.yaml", "records.jsonl", "summary.json", "versions.json"
DRAWN = "drawn.jsonl"  # of a run that has no records yet (`ttcs.records.drawn`)
QUESTIONS = "questions.jsonl"  # the problem set of a folder that has one of its own, as what was served
SCORES = "scores.jsonl"  # of solutions that a verifier was asked about (docs/verifiers.md)
LIBRARIES = ("ttcs", "torch", "transformers", "tokenizers", "vllm", "math-verify", "sympy", "hydra-core", "numpy")
NAMED = 3  # differing keys that a refusal names


def claim(folder: Path, config: Mapping[str, Any], option: str = "hydra.run.dir") -> None:
    """Make the folder this configuration's, or raise UserError if it has records of another one.

    config: `identity.portable`; UserError for text in it that no file holds and no tokenizer reads. option: what a
    person names the folder with.
    """
    if halves := [key for key, value in identity(config).items() if isinstance(value, str) and broken(value)]:
        raise UserError(f"{halves[0]} holds half a surrogate pair, which is no character")
    made(folder)
    if begun(folder):
        there = identity(portable(file.load(folder / CONFIG)))
        if keys := difference(there, identity(config)):
            raise UserError(f"{folder} belongs to another configuration: {keys}; choose another {option}")
        return
    write(folder / VERSIONS, json.dumps(_versions(), indent=2) + "\n")
    write(folder / CONFIG, file.text(config))


def begun(folder: Path) -> bool:
    """Whether there are records in it, or what they will be made of."""
    files = folder / RECORDS, folder / DRAWN
    return any(file.exists() and file.stat().st_size > 0 for file in files)


@contextmanager
def undone(folder: Path) -> Iterator[None]:
    """Where what is done inside fails, the folder is as it was before: files and folders that are new are gone."""
    fresh = [path for path in (folder, *folder.parents) if not path.exists()]
    before = set(folder.iterdir()) if folder.is_dir() else set()
    try:
        yield
    except BaseException:
        for new in (set(folder.iterdir()) if folder.is_dir() else set()) - before:
            new.unlink()
        for path in fresh:
            if path.is_dir():
                path.rmdir()
        raise


def write(path: Path, text: str) -> None:
    """All of the file or nothing of it, even when killed half way."""
    write_lines(path, [text])


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """As `write`; nothing of the file either where `lines` raises."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with writing(path):
        try:
            with part.open("w", encoding="utf-8") as text:
                text.writelines(lines)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def difference(
    there: Mapping[str, Any], here: Mapping[str, Any], names: tuple[str, str] = ("there", "here")
) -> str | None:
    """The keys in which two identities differ, by value; None: they do not. names: what the two are called."""
    here, there = current(here), current(there)
    every = sorted({**here, **there}, key=lambda key: key.count("."))
    # A setting that came later and says nothing is none.
    keys = [key for key in every if here.get(key) != there.get(key)]
    if not keys:
        return None
    named = ", ".join(
        f"{key} is {there.get(key, 'absent')} {names[0]} and {here.get(key, 'absent')} {names[1]}"
        for key in keys[:NAMED]
    )
    return named + (f", and {len(keys) - NAMED} more keys differ" if len(keys) > NAMED else "")


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
