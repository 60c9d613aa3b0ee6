"""Files and folders that a command writes: what cannot be written is answered by one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ttcs.errors import UserError


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """UserError for what the file system refuses, with the file and the reason."""
    try:
        yield
    except OSError as error:
        other = f" ({error.filename})" if error.filename not in (None, str(path)) else ""
        raise UserError(f"cannot write {path}: {error.strerror or error}{other}") from error


def made(folder: Path) -> Path:
    """The folder, with those above it, whether or not it is there; UserError where it cannot be."""
    if blocking := next((place for place in (folder, *folder.parents) if place.exists() and not place.is_dir()), None):
        raise UserError(f"cannot make the folder {folder}: {blocking} is there and is no folder")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder
