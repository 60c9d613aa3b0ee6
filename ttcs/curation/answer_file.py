"""What a model said about rows, a JSON line each: {"key": source/id, ...}. A line that a kill has torn is cut off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ttcs.config.unicode import parsed
from ttcs.errors import UserError

Line = dict[str, Any]


def answered(path: Path) -> dict[str, Line]:
    """Key -> its line; the file, if there is one, then ends with a whole line and can be appended to."""
    if not path.exists():
        return {}
    text = path.read_bytes()
    whole = text[: text.rfind(b"\n") + 1]
    if len(whole) < len(text):
        with path.open("rb+") as file:
            file.truncate(len(whole))
    return {line["key"]: line for line in _lines(path, whole.decode())}


def read(path: Path) -> dict[str, Line]:
    """As `answered`, of a file that is somebody else's."""
    if not path.is_file():
        raise UserError(f"file of verdicts {path} does not exist")
    return {line["key"]: line for line in _lines(path, path.read_text(encoding="utf-8"))}


def _lines(path: Path, text: str) -> Iterator[Line]:
    for number, line in enumerate(text.split("\n"), 1):  # texts may hold the other characters that end lines
        if not line.strip():
            continue
        try:
            content = parsed(line)
        except ValueError as error:
            raise UserError(f"{path}:{number}: not JSON ({error})") from error
        if not isinstance(content, dict) or "key" not in content:
            raise UserError(f'{path}:{number}: a line {{"key": "source/id", ...}} was expected')
        yield content
