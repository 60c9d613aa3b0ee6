from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pandas as pd
import pytest
from hydra import compose, initialize_config_dir

from ttcs.answers import equivalent
from ttcs.config.components import build
from ttcs.config.options import CONF
from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.problems.columns import Columns
from ttcs.problems.dataset import csv, hub, jsonl, parquet

ROOT = Path(__file__).parents[2]
PLAIN = Columns("id", "question", "answer", None, None)
MATH = Columns("unique_id", "problem", "answer", "level", "subject")
WHOLE = (None, 0, 1)  # limit, shard, shards
GOOD = {"id": 1, "question": "?", "answer": 1}
Rows = list[dict[str, Any]]


def file(folder: Path, *rows: Any) -> str:
    path = folder / "p.jsonl"
    path.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8"
    )
    return str(path)


def test_columns_are_read_by_name(tmp_path: Path) -> None:
    row = {"unique_id": "test/1.json", "problem": "1 + 1?", "answer": 2, "level": "Level 3", "subject": "Algebra"}
    (problem,) = jsonl(file(tmp_path, row), MATH, *WHOLE)
    assert problem == Problem("test/1.json", "1 + 1?", "2", 3, "Algebra")


def test_limit_and_blank_lines(tmp_path: Path) -> None:
    rows = [{"id": i, "question": "?", "answer": None} for i in range(5)]
    path = file(tmp_path, rows[0], "", *rows[1:])
    assert [problem.id for problem in jsonl(path, PLAIN, 2, 0, 1)] == ["0", "1"]
    assert len(jsonl(path, PLAIN, *WHOLE)) == 5
    assert jsonl(path, PLAIN, 1, 0, 1)[0].answer is None


def test_without_an_id_column_problems_are_numbered(tmp_path: Path) -> None:
    columns = Columns(None, "question", None, None, None)
    path = file(tmp_path, {"question": "a?"}, {"question": "b?"})
    assert [problem.id for problem in jsonl(path, columns, *WHOLE)] == ["1", "2"]
    assert [problem.id for problem in jsonl(path, columns, None, 1, 2)] == ["2"]


def test_what_lies_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    assert len(jsonl(file(tmp_path, GOOD, "broken"), PLAIN, 1, 0, 1)) == 1


@pytest.mark.parametrize("limit", [None, 7])
def test_shards_share_out_the_limited_list(tmp_path: Path, limit: int | None) -> None:
    path = file(tmp_path, *({"id": i, "question": "?", "answer": i} for i in range(10)))
    whole = jsonl(path, PLAIN, limit, 0, 1)
    parts = [jsonl(path, PLAIN, limit, shard, 3) for shard in range(3)]
    assert parts[1] == whole[1::3]
    assert sorted((problem for part in parts for problem in part), key=whole.index) == list(whole)


@pytest.mark.parametrize(
    ("limit", "shard", "shards", "message"),
    [
        (0, 0, 1, r"dataset\.limit=0 is neither null nor a positive whole number"),
        (None, 0, 0, r"dataset\.shards=0 is not a positive whole number"),
        (None, 3, 3, r"dataset\.shard=3 is not one of 0 \.\.\. 2 \(shards=3\)"),
        (None, -1, 3, r"dataset\.shard=-1 is not one of 0 \.\.\. 2 \(shards=3\)"),
        (None, 2, 3, r"dataset\.shard=2 of 3 is empty: there are 2 problems"),
    ],
)
def test_a_part_that_cannot_be_taken(tmp_path: Path, limit: int | None, shard: int, shards: int, message: str) -> None:
    path = file(tmp_path, GOOD, GOOD | {"id": 2})
    with pytest.raises(UserError, match=message):
        jsonl(path, PLAIN, limit, shard, shards)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([GOOD, '{"id": 2,'], r"p\.jsonl:2: not JSON"),
        ([GOOD, "", "[1]"], r"p\.jsonl:3: a JSON object was expected, found \[1\]"),
        ([GOOD, {"id": 2, "problem": "?"}], r"p\.jsonl:2: no column question \(there are: id, problem\)"),
        ([GOOD, GOOD], r"p\.jsonl:2: a second problem with id 1"),
        ([{"id": 1, "question": " ", "answer": 1}], r"p\.jsonl:1: column question is empty"),
        ([GOOD | {"answer": ["1"]}], r"p\.jsonl:1: column answer holds a list, not text or a number"),
        ([], r"has no problems"),
    ],
)
def test_a_malformed_file_is_told_by_line(tmp_path: Path, rows: list[Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        jsonl(file(tmp_path, *rows), PLAIN, *WHOLE)


@pytest.mark.parametrize(
    ("level", "read"), [(4, 4), (4.0, 4), ("4", 4), ("Level 4", 4), ("Level ?", None), (None, None), (math.nan, None)]
)
def test_levels(tmp_path: Path, level: Any, read: int | None) -> None:
    columns = Columns("id", "question", "answer", "level", None)
    assert jsonl(file(tmp_path, GOOD | {"level": level}), columns, *WHOLE)[0].level == read


def test_a_level_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r":1: level 'hard' is not a whole number"):
        jsonl(file(tmp_path, GOOD | {"level": "hard"}), Columns("id", "question", "answer", "level", None), *WHOLE)


def test_missing_and_undecodable_files(tmp_path: Path) -> None:
    for reader, name in ((jsonl, "nope.jsonl"), (csv, "nope.csv"), (parquet, "nope.parquet")):
        with pytest.raises(UserError, match=rf"{name} does not exist"):
            reader(str(tmp_path / name), PLAIN, *WHOLE)
    (tmp_path / "latin.jsonl").write_bytes(b'{"id": "\xe9"}\n')
    with pytest.raises(UserError, match="not UTF-8"):
        jsonl(str(tmp_path / "latin.jsonl"), PLAIN, *WHOLE)


# --- formats


def written(folder: Path, rows: Rows) -> dict[str, str]:
    """Format -> path of a file of these rows, as spreadsheets and pandas write them."""
    table = pd.DataFrame(rows)
    table.to_csv(folder / "p.csv", index=False, encoding="utf-8-sig")
    table.to_parquet(folder / "p.parquet")
    return {"jsonl": file(folder, *rows), "csv": str(folder / "p.csv"), "parquet": str(folder / "p.parquet")}


def test_all_formats_say_the_same(tmp_path: Path) -> None:
    rows: Rows = [
        {"id": 1, "question": 'Two\nlines, a "quote" and é?', "answer": "1,000", "level": 3},
        {"id": 2, "question": "None?", "answer": None, "level": None},
    ]
    columns = Columns("id", "question", "answer", "level", None)
    paths = written(tmp_path, rows)
    expected = jsonl(paths["jsonl"], columns, *WHOLE)
    assert expected[0] == Problem("1", 'Two\nlines, a "quote" and é?', "1,000", 3)
    assert expected[1] == Problem("2", "None?", None, None)
    assert csv(paths["csv"], columns, *WHOLE) == expected
    assert parquet(paths["parquet"], columns, *WHOLE) == expected  # where the empty cell made floats of the levels


def test_text_of_a_csv_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,question,answer\n007,None?,None\n008,?,1e3\n")
    first, second = csv(str(tmp_path / "p.csv"), PLAIN, *WHOLE)
    assert (first.id, first.answer, second.answer) == ("007", "None", "1e3")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,question,answer\n1,?\n", r"p\.csv:2: 2 cells under 3 column names"),
        ("id,question,answer\n\n1,a,b,c\n", r"p\.csv:3: 4 cells under 3 column names"),
        ('id,question,answer\n1,"a" b,c\n', r"p\.csv:2: not CSV"),
        ("id,problem,answer\n1,a,c\n", r"p\.csv:2: no column question \(there are: id, problem, answer\)"),
        ("", r"has no problems"),
    ],
)
def test_a_malformed_csv_is_told_by_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        csv(str(tmp_path / "p.csv"), PLAIN, *WHOLE)


def test_a_file_that_is_no_parquet(tmp_path: Path) -> None:
    (tmp_path / "p.parquet").write_text("id,question\n")
    with pytest.raises(UserError, match=r"p\.parquet: not Parquet \(.+\)"):
        parquet(str(tmp_path / "p.parquet"), PLAIN, *WHOLE)


# --- answers


@pytest.mark.parametrize(
    ("worked", "answer"),
    [("5 * 2 = <<5*2=10>>10\n#### 10", "10"), ("#### 9\nno:\n####1,000 ", "1,000"), (None, None)],
)
def test_an_answer_after_a_mark(tmp_path: Path, worked: str | None, answer: str | None) -> None:
    columns = Columns("id", "question", "answer", None, None, answer_after="####")
    (problem,) = jsonl(file(tmp_path, GOOD | {"answer": worked}), columns, *WHOLE)
    assert problem.answer == answer


def test_an_answer_without_its_mark(tmp_path: Path) -> None:
    columns = Columns("id", "question", "answer", None, None, answer_after="####")
    for worked in ("10", "10 ####"):
        with pytest.raises(UserError, match=r"p\.jsonl:1: nothing follows #### in the answer"):
            jsonl(file(tmp_path, GOOD | {"answer": worked}), columns, *WHOLE)


CHOICES: Rows = [{"id": f"r{i}", "q": " Which?\n", "right": f"yes {i}\n", "b": "no", "c": "never"} for i in range(90)]


def choices(seed: int = 0) -> Columns:
    return Columns("id", "q", "right", None, None, wrong=["b", "c"], seed=seed)


def test_options_are_listed_and_the_answer_is_a_letter(tmp_path: Path) -> None:
    (problem,) = jsonl(file(tmp_path, CHOICES[0]), choices(), *WHOLE)
    question, options, order = problem.question.split("\n\n")
    assert (question, order) == ("Which?", "Answer with the letter of the right option.")
    assert sorted(problem.options) == ["never", "no", "yes 0"]
    assert problem.options["ABC".index(problem.answer or "")] == "yes 0"
    listed = dict(line.split(" ", 1) for line in options.splitlines())
    assert sorted(listed) == ["(A)", "(B)", "(C)"]
    assert sorted(listed.values()) == ["never", "no", "yes 0"]
    assert listed[f"({problem.answer})"] == "yes 0"


def test_the_order_of_options_follows_from_seed_and_id(tmp_path: Path) -> None:
    whole = jsonl(file(tmp_path, *CHOICES), choices(), *WHOLE)
    backwards = jsonl(file(tmp_path, *reversed(CHOICES)), choices(), *WHOLE)
    assert backwards[::-1] == whole
    assert jsonl(file(tmp_path, *CHOICES), choices(), 60, 1, 3) == whole[1:60:3]
    assert jsonl(file(tmp_path, *CHOICES), choices(seed=1), *WHOLE) != whole
    assert [problem.answer for problem in whole[:8]] == ["B", "A", "A", "C", "C", "C", "A", "A"]  # on any machine
    assert set(Counter(problem.answer for problem in whole)) == {"A", "B", "C"}
    assert max(Counter(problem.answer for problem in whole).values()) < 45


def test_an_empty_option(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"p\.jsonl:1: column c is empty"):
        jsonl(file(tmp_path, CHOICES[0] | {"c": None}), choices(), *WHOLE)


def test_options_need_a_right_one() -> None:
    with pytest.raises(UserError, match=r"wrong needs dataset\.columns\.answer"):
        Columns("id", "q", None, None, None, wrong=["b"])


# --- the Hub


def folder(path: Path, config: str | None, split: str, rows: Rows, kind: str = "jsonl") -> Path:
    """A dataset folder laid out as on the Hub: files named by split, configurations by the README."""
    path.mkdir()
    name = f"{split}-00000-of-00001.{kind}"
    table = pd.DataFrame(rows)
    if kind == "jsonl":
        table.to_json(path / name, orient="records", lines=True)
    elif kind == "csv":
        table.to_csv(path / name, index=False)
    else:
        table.to_parquet(path / name)
    if config is not None:
        data = f"configs:\n- config_name: {config}\n  data_files:\n  - split: {split}\n    path: {name}\n"
        (path / "README.md").write_text(f"---\n{data}- config_name: other\n  data_files: {name}\n---\n")
    return path


GSM8K: Rows = [
    {"question": "How many?", "answer": "It is 2 * 600 = <<2*600=1200>>1,200.\n#### 1,200"},
    {"question": "And now?", "answer": "#### -5"},
]
GPQA: Rows = [
    {
        "Pre-Revision Question": "...",
        "Question": "Which particle?\n",
        "Correct Answer": "the muon",
        "Incorrect Answer 1": "the electron\n",
        "Incorrect Answer 2": "2.5",
        "Incorrect Answer 3": "none of them",
        "Subdomain": "Particle physics",
        "Record ID": f"rec{i}",
        "High-level domain": "Physics",
    }
    for i in range(3)
]
# Preset -> file format, rows with the columns of the Hub, and what is made of the first one.
PRESETS: dict[str, tuple[str, Rows, Problem]] = {
    "math500": (
        "jsonl",
        [
            {
                "problem": "1 + 1?",
                "solution": r"\boxed{2}",
                "answer": "2",
                "subject": "Algebra",
                "level": 1,
                "unique_id": "test/algebra/1.json",
            }
        ],
        Problem("test/algebra/1.json", "1 + 1?", "2", 1, "Algebra"),
    ),
    "aime2024": (
        "parquet",
        [{"id": 60, "problem": "Walk?", "solution": "...", "answer": "033", "url": "https://...", "year": "2024"}],
        Problem("60", "Walk?", "033"),
    ),
    "aime2025": ("jsonl", [{"problem": "Bases?", "answer": "70", "id": "0"}], Problem("0", "Bases?", "70")),
    "amc23": (
        "parquet",
        [{"id": 0, "question": "Meet?", "answer": 27.0, "url": "https://..."}],
        Problem("0", "Meet?", "27"),
    ),
    "gsm8k": ("parquet", GSM8K, Problem("1", "How many?", "1,200")),
    "gpqa_diamond": (
        "csv",
        GPQA,
        Problem(
            "rec0",
            "Which particle?\n\n(A) the muon\n(B) none of them\n(C) the electron\n(D) 2.5\n\n"
            "Answer with the letter of the right option.",
            "A",
            None,
            "Physics",
            ("the muon", "none of them", "the electron", "2.5"),
        ),
    ),
}


@pytest.fixture(autouse=True)
def _no_leftovers(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))


def loaded(option: str, *overrides: str) -> tuple[Problem, ...]:
    """The problems of a preset, by its yaml."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("config", [f"dataset={option}", *overrides])
    problems: tuple[Problem, ...] = build(config, "dataset")
    return problems


def test_every_preset_is_tested() -> None:
    assert {path.stem for path in (CONF / "dataset").glob("*.yaml")} == {
        *PRESETS,
        "zoo",
        "zoo_chains",
        "simulated",
        "hub",
        "jsonl",
        "csv",
        "parquet",
    }


@pytest.mark.parametrize("option", PRESETS)
@pytest.mark.parametrize("key", ["dataset.name", "dataset.path"])
def test_a_preset_reads_the_columns_of_the_hub(tmp_path: Path, option: str, key: str) -> None:
    kind, rows, expected = PRESETS[option]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        preset = compose("config", [f"dataset={option}"]).dataset
    where = folder(tmp_path / "copy", preset.config, preset.split, rows, kind)
    problems = loaded(option, f"{key}={where}")
    assert problems[0] == expected
    assert len(problems) == len(rows)


@pytest.mark.parametrize("option", PRESETS)
def test_a_preset_reads_one_file(tmp_path: Path, option: str) -> None:
    _, rows, expected = PRESETS[option]
    paths = written(tmp_path, [{key: str(value) for key, value in row.items()} for row in rows])
    for path in paths.values():
        (problem,) = loaded(option, f"dataset.path={path}", "dataset.limit=1")
        assert problem in (expected, replace(expected, answer="27.0"))


def test_answers_of_the_presets_can_be_graded() -> None:
    assert equivalent("1200", "1,200") and equivalent("33", "033") and equivalent("27", "27.0")
    assert equivalent(r"\text{(A)}", "A") and not equivalent("B", "A")


def test_math500_itself() -> None:
    path = ROOT.parent / "shared" / "data" / "math500.jsonl"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    problems = loaded("math500", f"dataset.path={path}")
    assert Counter(problem.level for problem in problems) == {1: 43, 2: 90, 3: 105, 4: 128, 5: 134}
    parts = [loaded("math500", f"dataset.path={path}", f"dataset.shard={i}", "dataset.shards=3") for i in range(3)]
    assert sorted(problem.id for part in parts for problem in part) == sorted(problem.id for problem in problems)


def test_any_hub_dataset(tmp_path: Path) -> None:
    rows: Rows = [{"prompt": f"{i}?", "target": i} for i in range(4)]
    name = f"dataset.name={folder(tmp_path / 'mine', None, 'validation', rows)}"
    columns = ["dataset.columns.question=prompt", "dataset.columns.answer=target"]
    problems = loaded(
        "hub", name, "dataset.split=validation", *columns, "dataset.limit=3", "dataset.shard=1", "dataset.shards=2"
    )
    assert problems == (Problem("2", "1?", "1"),)


def test_a_hub_dataset_can_be_read_from_its_copy(tmp_path: Path) -> None:
    path = file(tmp_path, GOOD)
    assert hub("no/such", None, "test", path, PLAIN, *WHOLE) == jsonl(path, PLAIN, *WHOLE)


@pytest.mark.parametrize("name", ["nope.jsonl", "nope"])
def test_a_copy_that_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=rf"{name} does not exist"):
        hub("no/such", None, "test", str(tmp_path / name), PLAIN, *WHOLE)


def test_a_copy_in_another_format(tmp_path: Path) -> None:
    (tmp_path / "p.xlsx").touch()
    with pytest.raises(UserError, match=r"p\.xlsx is neither a folder nor a file that ends in \.jsonl, \.json, \.csv"):
        hub("no/such", None, "test", str(tmp_path / "p.xlsx"), PLAIN, *WHOLE)


@pytest.mark.parametrize(
    ("config", "split", "columns", "message"),
    [
        ("nope", "test", PLAIN, r"BuilderConfig 'nope' not found.*'main', 'other'.*; see dataset\.config"),
        (None, "test", PLAIN, r"Config name is missing.*\['main', 'other'\]\); see dataset\.config"),
        ("main", "train", PLAIN, r"Unknown split \"train\".*'test'.*; see dataset\.config and dataset\.split"),
        ("main", "test", MATH, r"copy, row 1: no column unique_id \(there are: id, question, answer\); name it under"),
    ],
)
def test_what_a_hub_dataset_does_not_have(
    tmp_path: Path, config: str | None, split: str, columns: Columns, message: str
) -> None:
    path = folder(tmp_path / "copy", "main", "test", [GOOD])
    with pytest.raises(UserError, match=message) as error:
        hub(str(path), config, split, None, columns, *WHOLE)
    assert "\n" not in str(error.value)


def test_a_folder_that_cannot_be_parsed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "test.jsonl").write_text('{"id": 1, "question": "?"}\n{"id": 2, "ques\n')
    with pytest.raises(UserError, match=r"cannot load dataset .*copy \(JSON parse error.*\)"):
        hub(str(tmp_path / "copy"), None, "test", None, PLAIN, *WHOLE)
    assert capfd.readouterr() == ("", "")


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"doesn't contain any data files"):
        hub(str(tmp_path), None, "test", None, PLAIN, *WHOLE)


class Gate(BaseHTTPRequestHandler):
    """What the Hub answers to those who have not accepted the terms of a dataset."""

    def do_GET(self) -> None:
        self.send_response(401)
        self.send_header("X-Error-Code", "GatedRepo")
        self.send_header("X-Error-Message", "Access to dataset is restricted.")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gate() -> Any:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gate)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_gated_dataset_gets_one_line(tmp_path: Path, gate: str) -> None:
    hub_there = {"HF_ENDPOINT": gate, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "0", "NO_PROXY": "127.0.0.1"}
    environment = os.environ | hub_there | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "ttcs", "policy=scripted", "prm=scripted", "dataset=gpqa_diamond"]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert result.stderr == (
        "error: cannot load dataset Idavidrein/gpqa (Dataset 'Idavidrein/gpqa' is a gated dataset on the Hub. "
        "You must be authenticated to access it); where terms must be accepted, do so at "
        "huggingface.co/datasets/Idavidrein/gpqa and run hf auth login; a local copy can be named with dataset.path\n"
    )
    assert (result.returncode, result.stdout) == (2, "")


def test_a_copy_has_no_revisions() -> None:
    with pytest.raises(UserError, match=r"^dataset.revision=v1: a copy has no revisions, and dataset.path=p.csv names"):
        hub("name", None, "test", "p.csv", PLAIN, *WHOLE, "v1")
