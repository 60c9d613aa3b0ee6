"""What a cell of somebody else's table may hold, in every format that problems and pools come in."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from ttcs.core import Problem
from ttcs.curation.source import Source, TraceColumns
from ttcs.errors import UserError
from ttcs.problems.columns import Columns
from ttcs.problems.dataset import csv, hub, jsonl, parquet
from ttcs.problems.rows import from_copy

COLUMNS = Columns("id", "question", "answer", "level", "family")
WHOLE = (None, 0, 1)  # limit, shard, shards
HALF = "\ud83d"


@pytest.fixture(autouse=True)
def _no_leftovers(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))


def table(folder: Path, **columns: pa.Array) -> str:
    pq.write_table(pa.table(columns), folder / "p.parquet")
    return str(folder / "p.parquet")


def lines(folder: Path, *rows: Any) -> str:
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    (folder / "p.jsonl").write_text(text)
    return str(folder / "p.jsonl")


# --- Parquet


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary(1)])
def test_bytes_are_text(tmp_path: Path, kind: pa.DataType) -> None:
    path = table(tmp_path, **{name: pa.array([b"5"], kind) for name in ("id", "question", "answer", "level", "family")})
    expected = (Problem("5", "5", "5", 5, "5"),)
    assert parquet(path, COLUMNS, *WHOLE) == expected
    (tmp_path / "copy").mkdir()
    Path(path).rename(tmp_path / "copy" / "test.parquet")
    assert hub("any", None, "test", str(tmp_path / "copy"), COLUMNS, *WHOLE) == expected


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = table(tmp_path, id=["1", "2"], question=["?", "?"], answer=pa.array([b"5", b"\xff"]))
    with pytest.raises(UserError, match=r"p\.parquet, row 2: column answer holds bytes that are not UTF-8 text"):
        parquet(path, Columns("id", "question", "answer", None, None), *WHOLE)


def test_text_that_is_not_utf_8(tmp_path: Path) -> None:
    text = pa.Array.from_buffers(pa.string(), 2, pa.array([b"?", b"\xff"]).buffers())
    with pytest.raises(UserError, match=r"p\.parquet, row 2: not UTF-8 text"):
        parquet(table(tmp_path, question=text), Columns(None, "question", None, None, None), *WHOLE)


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        (pa.array([Decimal("5.00")]), "5"),
        (pa.array([Decimal("2.50")]), "2.50"),
        (pa.array([Decimal("1000")], pa.decimal256(40, 2)), "1000"),
        (pa.array([0.1], pa.float32()), "0.1"),
        (pa.array([27], pa.float32()), "27"),
        (pa.array([date(2024, 2, 29)]), "2024-02-29"),
        (pa.array(["7"]).dictionary_encode(), "7"),
        (pa.array([None]), None),
        (pa.array([None], pa.float64()), None),
        (pa.array([" \n"]), None),
        (pa.array([b" "]), None),
    ],
)
def test_what_a_parquet_answer_says(tmp_path: Path, cell: pa.Array, read: str | None) -> None:
    (problem,) = parquet(table(tmp_path, question=["?"], answer=cell), Columns(None, "question", "answer", None, None),
                         *WHOLE)  # fmt: skip
    assert problem.answer == read


def test_short_numbers_of_a_hub_dataset(tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    Path(table(tmp_path, question=["?"], answer=pa.array([0.1], pa.float32()))).rename(tmp_path / "copy/test.parquet")
    columns = Columns(None, "question", "answer", None, None)
    assert hub("any", None, "test", str(tmp_path / "copy"), columns, *WHOLE)[0].answer == "0.1"


@pytest.mark.parametrize("kind", [pa.decimal128(22, 2), pa.float32(), pa.int8()])
def test_a_level_is_a_number_of_any_kind(tmp_path: Path, kind: pa.DataType) -> None:
    path = table(tmp_path, question=["?", "?"], level=pa.array([3, None]).cast(kind))
    problems = parquet(path, Columns(None, "question", None, "level", None), *WHOLE)
    assert [problem.level for problem in problems] == [3, None]


@pytest.mark.parametrize(
    ("cell", "kind"), [(pa.array([["1"]]), "list"), (pa.array([{"a": 1}]), "dict"), (pa.array([[b"1"]]), "list")]
)
def test_what_is_no_text_is_refused(tmp_path: Path, cell: pa.Array, kind: str) -> None:
    path = table(tmp_path, question=["?"], answer=cell)
    with pytest.raises(UserError, match=rf"row 1: column answer holds a {kind}, not text or a number"):
        parquet(path, Columns(None, "question", "answer", None, None), *WHOLE)


# --- CSV and names that come twice


@pytest.mark.parametrize("size", [131_073, 1_000_000])
def test_a_csv_cell_may_be_long(tmp_path: Path, size: int) -> None:
    (tmp_path / "p.csv").write_text(f"question\n{'x' * size}\n")
    (problem,) = csv(str(tmp_path / "p.csv"), Columns(None, "question", None, None, None), *WHOLE)
    assert len(problem.question) == size


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("question,answer,note,answer,note\n?,1,a,2,b\n")
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["answer", "answer"]), tmp_path / "p.parquet")
    twice = '{"question": "?", "answer": 1, "answer": 2}'
    for reader, path, where, named in (
        (csv, str(tmp_path / "p.csv"), r"p\.csv:1", "answer, note"),
        (parquet, str(tmp_path / "p.parquet"), r"p\.parquet", "answer"),
        (jsonl, lines(tmp_path, {"question": "?", "answer": 1}, twice), r"p\.jsonl:2", "answer"),
    ):
        with pytest.raises(UserError, match=rf"{where}: more than one column named {named}$"):
            reader(path, Columns(None, "question", "answer", None, None), *WHOLE)


def test_columns_without_a_name_may_be_several(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("question,answer,,\n?,1,,\n")
    (problem,) = csv(str(tmp_path / "p.csv"), Columns(None, "question", "answer", None, None), *WHOLE)
    assert problem.answer == "1"


# --- half a surrogate pair, which JSON can hold and no file can


def test_half_a_character_is_the_mark_for_what_is_no_character(tmp_path: Path) -> None:
    path = lines(tmp_path, {"id": 1, "question": "a?"}, {"id": f"x{HALF}", "question": f"b{HALF}?", "answer": HALF})
    with pytest.warns(UserWarning, match=r"p\.jsonl:2: half a surrogate pair") as caught:
        first, second = jsonl(path, Columns("id", "question", None, None, None), *WHOLE)
    assert (first.question, second.id, second.question) == ("a?", "x�", "b�?")
    assert len(caught) == 1


def test_a_whole_pair_is_a_character(tmp_path: Path) -> None:
    path = lines(tmp_path, '{"question": "\\ud83d\\ude00 \\\\ud83d?"}')
    assert jsonl(path, Columns(None, "question", None, None, None), *WHOLE)[0].question == "\U0001f600 \\ud83d?"


def test_a_column_may_be_named_by_half_a_character(tmp_path: Path) -> None:
    path = lines(tmp_path, {f"q{HALF}": "?"})
    with pytest.warns(UserWarning), pytest.raises(UserError, match=r"no column question \(there are: q�\)"):
        jsonl(path, Columns(None, "question", None, None, None), *WHOLE)


def test_half_a_character_that_the_hubs_reader_refuses(tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    Path(lines(tmp_path, {"question": f"?{HALF}"})).rename(tmp_path / "copy" / "test.jsonl")
    with pytest.raises(UserError, match=r"cannot load dataset .*surrogate pair"):
        hub("any", None, "test", str(tmp_path / "copy"), Columns(None, "question", None, None, None), *WHOLE)


def test_half_a_character_of_a_trace(tmp_path: Path) -> None:
    columns = TraceColumns(None, "question", "thinking", "answer", "reference", None)
    row = {"question": f"?{HALF}", "thinking": [f"So {HALF}"], "answer": "1", "reference": " "}
    with pytest.warns(UserWarning, match="half a surrogate pair"):
        (read,) = Source(columns, path=lines(tmp_path, row)).rows("mine")
    assert (read.question, read.thinking, read.reference) == ("?�", "So �", None)


def test_bytes_of_a_trace(tmp_path: Path) -> None:
    path = table(tmp_path, **{name: pa.array([b"5"]) for name in ("question", "thinking", "answer")})
    (read,) = Source(TraceColumns(None, "question", "thinking", "answer", None, None), path=path).rows("mine")
    assert (read.question, read.thinking, read.answer) == ("5", "5", "5")


# --- blank references


@pytest.mark.parametrize("blank", ["", "  ", "\n\t", "\u00a0", None])
def test_a_blank_cell_is_unknown_in_every_format(tmp_path: Path, blank: str | None) -> None:
    rows = [{"id": "1", "question": "?", "answer": blank, "level": blank, "family": blank}]
    (tmp_path / "copy").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "copy" / "test.parquet")
    shown = (blank or "").replace("\n", " ")
    (tmp_path / "p.csv").write_text(f"id,question,answer,level,family\n1,?,{shown},{shown},{shown}\n")
    expected = (Problem("1", "?", None, None, None),)
    assert jsonl(lines(tmp_path, *rows), COLUMNS, *WHOLE) == expected
    assert csv(str(tmp_path / "p.csv"), COLUMNS, *WHOLE) == expected
    assert parquet(str(tmp_path / "copy" / "test.parquet"), COLUMNS, *WHOLE) == expected
    assert hub("any", None, "test", str(tmp_path / "copy"), COLUMNS, *WHOLE) == expected


def test_a_blank_id_is_the_number_of_the_row(tmp_path: Path) -> None:
    path = lines(tmp_path, *({"id": blank, "question": "?"} for blank in ("", " ", None)))
    assert [p.id for p in jsonl(path, Columns("id", "question", None, None, None), *WHOLE)] == ["1", "2", "3"]


# --- what is no file


def test_a_folder_is_called_a_folder(tmp_path: Path) -> None:
    for reader in (jsonl, csv, parquet):
        with pytest.raises(UserError, match=rf"dataset file {tmp_path} is a folder"):
            reader(str(tmp_path), COLUMNS, *WHOLE)
    with pytest.raises(UserError, match="nope does not exist"):
        list(from_copy(tmp_path / "nope", None, "test"))
