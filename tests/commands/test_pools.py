"""Solutions sampled elsewhere become a run that analysis and replay read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from analysis.estimates import estimate, evaluate
from analysis.runs.load import load
from ttcs import replay
from ttcs.pools import main
from ttcs.records.record import Record
from ttcs.records.record_file import read

Row = dict[str, Any]
ROOT = Path(__file__).parents[2]


def solution(*steps: str) -> str:
    return "\n\n".join(steps)


def search_and_learn() -> list[Row]:
    """Two problems with four completions each, in the columns of the published datasets."""
    right, wrong = solution("Add.", r"\boxed{\frac{1}{2}}"), solution("Add.", "Guess.", r"\boxed{3}")
    return [
        {"problem": "1/4 + 1/4?", "solution": "...", "answer": "1/2", "subject": "Fractions", "level": 2,
         "unique_id": "a", "completions": [right, wrong, solution("So", r"\boxed{0.5}"), "no answer"],
         "scores": [[0.9, 0.8], [0.9, 0.5, 0.95], [0.4, 0.3], [0.1]],
         "pred": "ignored", "completion_tokens": [12, 20, 9, 3]},
        {"problem": "1 + 2?", "solution": "...", "answer": "3", "subject": "Sums", "level": 1,
         "unique_id": "b", "completions": [right, wrong, wrong, right],
         "scores": [[0.2, 0.9], [0.3, 0.2, 0.1], [0.3, 0.2, 0.4], [0.1, 0.1]],
         "pred": "ignored", "completion_tokens": [10, 20, 20, 10]},
    ]  # fmt: skip


@pytest.fixture
def convert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Record]]:
    """Imports the rows into the folder `out`; its records."""
    monkeypatch.chdir(tmp_path)

    def call(rows: list[Row], *arguments: str) -> list[Record]:
        Path("pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        main(["pool.jsonl", "--out", "out", *arguments])
        return list(read(Path("out/records.jsonl")))

    return call


Convert = Callable[..., list[Record]]
PUBLISHED = ["--format", "search_and_learn"]


def test_a_published_pool(convert: Convert, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = convert(search_and_learn(), *PUBLISHED, "--policy", "llama", "--prm", "judge", "--dataset", "math")
    assert (first.problem_id, first.level, first.family, first.reference) == ("a", 2, "Fractions", "1/2")
    assert [candidate.group for candidate in first.candidates] == [0, 1, 0, None]
    assert [candidate.correct for candidate in first.candidates] == [True, False, True, False]
    assert [candidate.score for candidate in first.candidates] == [0.8, 0.95, 0.3, 0.1]
    assert [candidate.tokens for candidate in first.candidates] == [12, 20, 9, 3]
    assert (first.chosen, first.correct) == (0, True)  # 0.8 + 0.3 > 0.95
    assert (second.chosen, second.correct) == (0, False)  # 0.9 + 0.1 > 0.1 + 0.4
    assert [node.text for node in first.tree][:2] == ["Add.\n\n", r"\boxed{\frac{1}{2}}"]
    assert [node.parent for node in first.tree] == [None, 0, None, 2, 3, None, 5, None]
    assert [node.tokens for node in first.tree] == [None] * 7 + [3]  # of a step alone it is known
    summary = json.loads(Path("out/summary.json").read_text())
    assert summary["accuracy"] == 0.5 and summary["pass_at_k"]["1"] == 0.5
    assert summary["ledger"] == {"decoded_tokens": 104, "generations": 8} and summary["wall_seconds"] is None
    names = {key: summary[key] for key in ("n", "strategy", "selection", "reduction", "policy", "prm", "dataset")}
    assert names == {"n": 4, "strategy": "best_of_n", "selection": "weighted", "reduction": "last",
                     "policy": "llama", "prm": "judge", "dataset": "math"}  # fmt: skip
    assert Path("out/accuracy.png").exists()
    assert "accuracy 50.0%" in capsys.readouterr().out


def test_the_command_by_itself(convert: Convert) -> None:
    """In a process in which nothing else was imported."""
    convert(search_and_learn(), *PUBLISHED)
    arguments = [sys.executable, "-m", "ttcs.pools", "pool.jsonl", "--out", "alone", *PUBLISHED]
    ended = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert Path("alone/summary.json").read_text() == Path("out/summary.json").read_text()


def test_another_selection_and_reduction(convert: Convert) -> None:
    first, second = convert(search_and_learn(), *PUBLISHED, "selection=best", "reduction=min")
    assert [candidate.score for candidate in first.candidates] == [0.8, 0.5, 0.3, 0.1]
    assert (first.chosen, second.chosen) == (0, 0)


def test_analysis_draws_the_whole_curve_and_knows_what_is_unknown(convert: Convert) -> None:
    convert(search_and_learn(), *PUBLISHED)
    records = load(Path("out"))
    curve = estimate.curve(records)
    assert set(curve["n"]) == {1, 2, 4} and set(curve["selection"]) == {"majority", "best", "weighted", "pass"}
    table = evaluate.summary(evaluate.evaluate(records))
    assert table["flops"].isna().all() and table["seconds"].isna().all()
    assert set(table.loc[table["n"] == 4, "tokens"]) == {52.0}
    rows = search_and_learn()
    for row in rows:
        del row["completion_tokens"]
    Path("out").rename("known")
    convert(rows, *PUBLISHED)
    assert evaluate.summary(evaluate.evaluate(load(Path("out"))))["tokens"].isna().all()


def test_a_pool_is_replayed(convert: Convert) -> None:
    convert(search_and_learn(), *PUBLISHED)
    replay.main(["out", "selection=best", "reduction=min", "n=2"])
    (file,) = Path("out/replay").rglob("*.json")
    result = json.loads(file.read_text())
    # Of six pairs, a is right but for (1, 2) and (1, 3); b where neither is 0, ties going to the first.
    expected = (4 / 6 + 3 / 6) / 2
    assert result["accuracy"] == pytest.approx(expected)
    assert result["cost"] == {"decoded_tokens": 52.0, "policy_flops": None, "prm_flops": None}


def test_plain_columns_one_score_each_and_unfinished_ones(convert: Convert) -> None:
    row = {"problem": "2 + 2?", "answer": 4, "completions": [r"a" + "\n\n" + r"\boxed{4}", r"\boxed{5}", r"\boxed{4}"],
           "scores": [0.5, 0.9, None], "tokens": [5, 4, 4], "finished": [True, False, True]}  # fmt: skip
    (record,) = convert([row])
    assert record.problem_id == "1" and record.level is None
    assert [candidate.stop for candidate in record.candidates] == ["end", "length", "end"]
    assert [candidate.group for candidate in record.candidates] == [0, None, 0]
    assert (len(record.tree), record.chosen, record.correct) == (3, 0, True)


def test_without_scores_or_references(convert: Convert) -> None:
    (record,) = convert([{"problem": "?", "completions": [r"\boxed{4}", r"\boxed{5}"]}], "selection=majority")
    assert (record.correct, record.chosen, record.candidates[0].score) == (None, 0, None)
    assert json.loads(Path("out/summary.json").read_text())["ledger"] == {"generations": 2}


def test_other_names_of_columns_and_parquet(convert: Convert) -> None:
    rows = [{"key": "x", "question": "1+1?", "gold": "2", "samples": ["So:\n\\boxed{2}"], "steps": [[0.5, 0.25]]}]
    pd.DataFrame(rows).to_parquet("pool.parquet")
    names = {"id": "key", "problem": "question", "answer": "gold", "completions": "samples", "scores": "steps"}
    columns = [part for key, name in names.items() for part in ("--column", f"{key}={name}")]
    main(["pool.parquet", "--out", "named", *columns, "--separator", r"\n", "selection=best"])
    (record,) = read(Path("named/records.jsonl"))
    assert (record.problem_id, record.correct) == ("x", True)
    assert [(node.text, node.score) for node in record.tree] == [("So:\n", 0.5), (r"\boxed{2}", 0.25)]


@pytest.mark.parametrize(
    ("text", "scores", "steps"),
    [
        ("a\n\nb\n\n", [0.1, 0.2], ["a\n\n", "b\n\n"]),
        ("a\n\nb\n\n", [0.1, 0.2, 0.3], ["a\n\n", "b\n\n", ""]),  # who scores an empty last step is followed
        ("a\n\n\n\nb", [0.1, 0.2], ["a\n\n\n\n", "b"]),
        ("\n\na\n\nb", [0.1, 0.2], ["\n\na\n\n", "b"]),
        ("a", [0.1], ["a"]),
    ],
)
def test_where_steps_end(convert: Convert, text: str, scores: list[float], steps: list[str]) -> None:
    (record,) = convert([{"problem": "?", "answer": "1", "completions": [text], "scores": [scores]}])
    assert [node.text for node in record.tree] == steps
    assert [node.score for node in record.tree] == scores


def test_a_tokenizer_counts_what_the_file_does_not(convert: Convert) -> None:
    model = Path(__file__).parents[2] / "ttcs" / "zoo" / "models" / "policy"
    rows = search_and_learn()
    for row in rows:
        del row["completion_tokens"]
    (record, _) = convert(rows, *PUBLISHED, "--tokenizer", str(model))
    counts = [node.tokens for node in record.tree]
    assert all(counts) and record.candidates[0].tokens == sum(counts[:2])
    assert record.ledger.decoded_tokens == sum(counts)


@pytest.mark.parametrize(
    ("change", "arguments", "line"),
    [
        ({"scores": [[0.9], [0.9, 0.5, 0.9], [0.4, 0.3], [0.1]]}, [],
         r"pool.jsonl:2: completion 1 has 1 step scores, but --separator '\n\n' makes 2 steps of it"),
        ({"scores": [[0.9, 1.5], [0.9, 0.5, 0.9], [0.4, 0.3], [0.1]]}, [], "completion 1 has the score 1.5, which is"),
        ({"scores": [[0.1]]}, [], "pool.jsonl:2: 4 completions but 1 in column scores"),
        ({"scores": None}, [], "pool.jsonl:2: no scores, which the selection Weighted reads; give selection=majority"),
        ({"completion_tokens": [1, 2, 3, "4"]}, [], "pool.jsonl:2: completion 4 has 4 tokens, which is not a whole"),
        ({"completions": ["a"], "scores": [[0.1]], "completion_tokens": [1]}, [],
         "pool.jsonl:2: 1 completions, but the first problem has 4"),
        ({"completions": "a"}, [], "pool.jsonl:2: column completions is not a list"),
        ({"completions": []}, [], "pool.jsonl:2: no completions"),
        ({"unique_id": "a"}, [], "pool.jsonl:2: a second problem with id a"),
        ({}, ["--column", "tokens=length"], "pool.jsonl:1: no column length (there are: problem, solution, answer,"),
        ({}, ["--column", "text=a"], "--column has no text; it has answer, completions, family,"),
        ({}, ["n=4"], "n cannot be given here: only selection, reduction, difficulty, seed can"),
        ({}, ["selection=best,majority"], "a pool is imported with one value of each key"),
    ],
)  # fmt: skip
def test_bad_pools_get_one_line(
    convert: Convert, capsys: pytest.CaptureFixture[str], change: Row, arguments: list[str], line: str
) -> None:
    first, second = search_and_learn()
    with pytest.raises(SystemExit, match="2"):
        convert([first, second | change], *PUBLISHED, *arguments)
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and line in error
    assert not Path("out").exists()


def test_a_pool_that_fails_leaves_of_a_folder_what_was_there(
    convert: Convert, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("out").mkdir()
    Path("out/notes.txt").write_text("mine")
    first, second = search_and_learn()
    with pytest.raises(SystemExit, match="2"):
        convert([first, second | {"scores": None}], *PUBLISHED)
    assert [path.name for path in Path("out").iterdir()] == ["notes.txt"]
    with pytest.raises(SystemExit, match="2"):
        main(["pool.jsonl", "--out", "deep/down/out", *PUBLISHED])
    assert not Path("deep").exists()
    capsys.readouterr()


def test_references_that_are_blank(convert: Convert, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = search_and_learn()
    records = convert([first, second | {"answer": " "}], *PUBLISHED)
    assert [record.correct for record in records] == [True, None]
    told = capsys.readouterr()
    assert "accuracy 100.0% [100.0, 100.0], 1 of 2 problems graded" in told.out and told.err == ""
    replay.main(["out", "selection=best"])
    told = capsys.readouterr()
    assert "1 of 2 problems graded" in told.out and told.err == ""


def test_half_a_character_in_a_completion(convert: Convert, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"id": "a", "problem": "\ud83d?", "answer": "1", "completions": ["\\boxed{1} \ud83d", "\ude00"]}]
    (record,) = convert(rows, "selection=majority")
    assert [node.text for node in record.tree] == ["\\boxed{1} \ufffd", "\ufffd"] and record.correct
    assert capsys.readouterr().err.startswith("warning: pool.jsonl:1: half a surrogate pair")


def test_bytes_in_a_pool(convert: Convert) -> None:
    pq.write_table(pa.table({"id": [b"a"], "problem": [b"1+1?"], "answer": [b"2"],
                             "completions": [[b"\\boxed{2}", b"\\boxed{3}"]]}), "pool.parquet")  # fmt: skip
    main(["pool.parquet", "--out", "out", "selection=majority"])
    (record,) = read(Path("out/records.jsonl"))
    assert (record.problem_id, record.reference, record.correct) == ("a", "2", True)
    pq.write_table(pa.table({"problem": ["1+1?"], "completions": [[b"\xff"]]}), "pool.parquet")
    with pytest.raises(SystemExit, match="2"):
        main(["pool.parquet", "--out", "other", "selection=majority"])


def test_a_folder_of_another_pool_is_refused(convert: Convert, capsys: pytest.CaptureFixture[str]) -> None:
    convert(search_and_learn(), *PUBLISHED)
    before = Path("out/records.jsonl").read_bytes()
    convert(search_and_learn(), *PUBLISHED)  # the same once more
    assert Path("out/records.jsonl").read_bytes() == before
    with pytest.raises(SystemExit, match="2"):
        convert(search_and_learn()[:1], *PUBLISHED)
    assert "out belongs to another configuration: pool.sha256 is" in capsys.readouterr().err
    assert Path("out/records.jsonl").read_bytes() == before


def test_no_file(convert: Convert, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["nowhere.jsonl", "--out", "out"])
    assert capsys.readouterr().err == "error: there is no file nowhere.jsonl\n"
    Path("folder").mkdir()
    with pytest.raises(SystemExit, match="2"):
        main(["folder", "--out", "out"])
    assert capsys.readouterr().err == "error: folder is a folder, not a file\n"


@pytest.mark.slow
def test_the_command_in_a_process_of_its_own(tmp_path: Path) -> None:
    """Where no other command has been imported before."""
    (tmp_path / "pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in search_and_learn()))
    command = [sys.executable, "-m", "ttcs.pools", "pool.jsonl", *PUBLISHED, "--out", "out"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "") and "accuracy 50.0%" in done.stdout
