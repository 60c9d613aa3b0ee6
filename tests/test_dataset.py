from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ttcs.core import Problem
from ttcs.dataset import Columns, hub, jsonl
from ttcs.errors import UserError

PLAIN = Columns("id", "question", "answer", None, None)
MATH = Columns("unique_id", "problem", "answer", "level", "subject")


def file(folder: Path, *rows: Any) -> str:
    path = folder / "p.jsonl"
    path.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8"
    )
    return str(path)


def test_columns_are_read_by_name(tmp_path: Path) -> None:
    row = {"unique_id": "test/1.json", "problem": "1 + 1?", "answer": 2, "level": "Level 3", "subject": "Algebra"}
    (problem,) = jsonl(file(tmp_path, row), MATH, None)
    assert problem == Problem("test/1.json", "1 + 1?", "2", 3, "Algebra")


def test_limit_and_blank_lines(tmp_path: Path) -> None:
    rows = [{"id": i, "question": "?", "answer": None} for i in range(5)]
    path = file(tmp_path, rows[0], "", *rows[1:])
    assert [problem.id for problem in jsonl(path, PLAIN, 2)] == ["0", "1"]
    assert len(jsonl(path, PLAIN, None)) == 5
    assert jsonl(path, PLAIN, 1)[0].answer is None


def test_without_an_id_column_problems_are_numbered(tmp_path: Path) -> None:
    columns = Columns(None, "question", None, None, None)
    path = file(tmp_path, {"question": "a?"}, {"question": "b?"})
    assert [problem.id for problem in jsonl(path, columns, None)] == ["1", "2"]


def test_what_lies_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    assert len(jsonl(file(tmp_path, {"id": 1, "question": "?", "answer": 1}, "broken"), PLAIN, 1)) == 1


GOOD = {"id": 1, "question": "?", "answer": 1}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([GOOD, '{"id": 2,'], r"p\.jsonl:2: not JSON"),
        ([GOOD, "", "[1]"], r"p\.jsonl:3: a JSON object was expected, found \[1\]"),
        ([GOOD, {"id": 2, "problem": "?"}], r"p\.jsonl:2: no column question \(there are: id, problem\)"),
        ([GOOD, GOOD], r"p\.jsonl:2: a second problem with id 1"),
        ([{"id": 1, "question": " ", "answer": 1}], r"p\.jsonl:1: column question is empty"),
        ([], r"has no problems"),
    ],
)
def test_a_malformed_file_is_told_by_line(tmp_path: Path, rows: list[Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        jsonl(file(tmp_path, *rows), PLAIN, None)


@pytest.mark.parametrize(("level", "read"), [(4, 4), ("4", 4), ("Level 4", 4), ("Level ?", None), (None, None)])
def test_levels(tmp_path: Path, level: Any, read: int | None) -> None:
    columns = Columns("id", "question", "answer", "level", None)
    assert jsonl(file(tmp_path, GOOD | {"level": level}), columns, None)[0].level == read


def test_a_level_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r":1: level 'hard' is not a whole number"):
        jsonl(file(tmp_path, GOOD | {"level": "hard"}), Columns("id", "question", "answer", "level", None), None)


def test_missing_and_undecodable_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nope\.jsonl does not exist"):
        jsonl(str(tmp_path / "nope.jsonl"), PLAIN, None)
    (tmp_path / "latin.jsonl").write_bytes(b'{"id": "\xe9"}\n')
    with pytest.raises(UserError, match="not UTF-8"):
        jsonl(str(tmp_path / "latin.jsonl"), PLAIN, None)


def test_a_hub_dataset_can_be_read_from_its_copy(tmp_path: Path) -> None:
    path = file(tmp_path, GOOD)
    assert hub("no/such", "test", path, PLAIN, None) == jsonl(path, PLAIN, None)
