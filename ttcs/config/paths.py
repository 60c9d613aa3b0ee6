"""Paths as they are shown."""

from __future__ import annotations

import os
from pathlib import Path


def spelled(name: str) -> str:
    """A name as text, without the surrogates it has where the locale does not know its letters."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def opened(text: str) -> Path:
    """The inverse, for a name that is proper text in UTF-8."""
    return Path(os.fsdecode(text.encode()))


def here(path: Path) -> Path:
    """The path as a person in this folder would write it; whole where it leads out of the folder."""
    whole = Path(os.path.abspath(path))  # noqa: PTH100 (a link is left as it is named)
    return whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole
