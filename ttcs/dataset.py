"""Problems from a JSON Lines file or from the Hugging Face Hub."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ttcs.core import Problem
from ttcs.errors import UserError

Row = tuple[str, Mapping[str, Any]]  # where it stands (for error messages) and what it says


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds what. None: the dataset has no such column; ids are then the line numbers."""

    id: str | None
    question: str
    answer: str | None
    level: str | None
    family: str | None


def jsonl(path: str, columns: Columns, limit: int | None) -> tuple[Problem, ...]:
    """The first `limit` problems of a file with one JSON object per line; blank lines are skipped."""
    return _problems(_lines(Path(path)), columns, limit)


def hub(name: str, split: str, path: str | None, columns: Columns, limit: int | None) -> tuple[Problem, ...]:
    """The first `limit` problems of a dataset of the Hugging Face Hub, or of its copy in the file `path`."""
    if path is not None:
        return jsonl(path, columns, limit)
    import datasets

    try:
        rows = datasets.load_dataset(name, split=split)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(
            f"cannot load dataset {name} ({reason}); a local copy can be named with dataset.path"
        ) from error
    return _problems(((f"{name}, row {number}", row) for number, row in enumerate(rows, 1)), columns, limit)


def _lines(path: Path) -> Iterator[Row]:
    if not path.is_file():
        raise UserError(f"dataset file {path} does not exist")
    with path.open(encoding="utf-8") as file:
        try:
            yield from (_row(f"{path}:{number}", line) for number, line in enumerate(file, 1) if line.strip())
        except UnicodeDecodeError as error:
            raise UserError(f"dataset file {path} is not UTF-8 text") from error


def _row(where: str, line: str) -> Row:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise UserError(f"{where}: not JSON ({error})") from error
    if not isinstance(row, dict):
        raise UserError(f"{where}: a JSON object was expected, found {line.strip()[:40]}")
    return where, row


def _problems(rows: Iterable[Row], columns: Columns, limit: int | None) -> tuple[Problem, ...]:
    if limit is not None and (type(limit) is not int or limit < 1):
        raise UserError(f"dataset.limit={limit} is neither null nor a positive whole number")
    seen: dict[str, Problem] = {}
    for number, (where, row) in enumerate(islice(rows, limit), 1):
        problem = _problem(where, row, columns, number)
        if problem.id in seen:
            raise UserError(f"{where}: a second problem with id {problem.id}")
        seen[problem.id] = problem
    if not seen:
        raise UserError("the dataset has no problems")
    return tuple(seen.values())


def _problem(where: str, row: Mapping[str, Any], columns: Columns, number: int) -> Problem:
    def text(column: str | None) -> str | None:
        value = _cell(where, row, column)
        return None if value is None else str(value)

    question = text(columns.question)
    if not question or not question.strip():
        raise UserError(f"{where}: column {columns.question} is empty")
    level = _level(where, _cell(where, row, columns.level))
    return Problem(text(columns.id) or str(number), question, text(columns.answer), level, text(columns.family))


def _cell(where: str, row: Mapping[str, Any], column: str | None) -> Any:
    if column is None:
        return None
    if column not in row:
        raise UserError(f"{where}: no column {column} (there are: {', '.join(row)}); name it under dataset.columns")
    return row[column]


def _level(where: str, value: Any) -> int | None:
    """A number, or text such as "Level 3"; MATH has a few problems of "Level ?"."""
    if value is None or isinstance(value, int):
        return value
    match = re.fullmatch(r"(?:level\s*)?(\d+|\?)", str(value).strip(), re.IGNORECASE)
    if match is None:
        raise UserError(f"{where}: level {value!r} is not a whole number")
    return None if match[1] == "?" else int(match[1])
