"""Runs as data sets: nothing is lost, and what search-and-learn's columns hold is read back as the same answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from huggingface_hub import HfApi

from tests.analysis.view.runs import GOLDEN, copied, records
from tests.commands.hub import hub
from tests.typed import Main, typed
from ttcs import pools
from ttcs.config.components import forget
from ttcs.export import push
from ttcs.export.__main__ import main
from ttcs.records.record_file import read

Rows = list[dict[str, Any]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Main:
    """`python -m ttcs.export`, where the questions of the run are at hand."""
    forget()
    monkeypatch.chdir(GOLDEN)
    return typed("ttcs.export", main, monkeypatch, capsys)


def table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_parquet(folder / "data" / f"{name}.parquet")


def test_everything_is_in_three_tables(command: Main, tmp_path: Path) -> None:
    code, out, _ = command(str(GOLDEN / "run"), "--to", "parquet", "--out", str(tmp_path / "made"))
    assert code == 0 and out.splitlines()[-1].endswith("made/README.md")
    problems, candidates, tree = (table(tmp_path / "made", name) for name in ("problems", "candidates", "tree"))
    rows = records(GOLDEN / "run")
    assert list(problems["question"]) == ["What is 2 and 2?", "What is 3 and 4?", "What is 5 and 6?"]
    for name in ("problem_id", "reference", "answer", "correct", "chosen"):
        assert list(problems[name]) == [row[name] for row in rows], name
    assert list(problems["decoded_tokens"]) == [row["ledger"]["decoded_tokens"] for row in rows]
    for name in ("answer", "group", "score", "correct", "tokens", "stop"):
        assert list(candidates[name]) == [one[name] for row in rows for one in row["candidates"]], name
    assert list(candidates["chosen"]) == [at == row["chosen"] for row in rows for at in range(8)]
    for name in ("node", "text", "score", "stop"):
        assert list(tree[name]) == [node[name] for row in rows for node in row["tree"]], name
    first = candidates.iloc[0]
    assert first["text"] == "".join(first["steps"]) and list(first["nodes"]) == [0, 1, 2, 3, 4, 5]
    assert list(first["scores"]) == [node["score"] for node in rows[0]["tree"][:6]]


def test_the_card_leads_to_the_tables(command: Main, tmp_path: Path) -> None:
    command(str(GOLDEN / "run"), "--to", "parquet", "--out", str(tmp_path / "made"))
    card = (tmp_path / "made" / "README.md").read_text()
    front = card.split("---\n")[1]
    for name in ("problems", "candidates", "tree"):
        assert f"- config_name: {name}\n  data_files: data/{name}.parquet\n" in front
    assert "3 of 3 with a reference were answered rightly" in card and "`best_of_n` at n = 8" in card
    assert "_target_: ttcs.strategies.best_of_n.BestOfN" in card and "`scores` (list of double)" in card


def untouched(rows: Rows) -> None:
    """As it is."""


def cut_off(rows: Rows) -> None:
    """A candidate that ended at the token limit: no answer, and no vote."""
    for one in (rows[0]["candidates"][1], rows[0]["tree"][rows[0]["candidates"][1]["leaf"]]):
        one["stop"] = "length"
    rows[0]["candidates"][1] |= {"answer": None, "group": None, "correct": False}
    rows[0]["chosen"] = 5


def unscored(rows: Rows) -> None:
    """A candidate that the verifier has not read."""
    one = rows[0]["candidates"][0]
    one["score"] = None
    for node in rows[0]["tree"][: one["leaf"] + 1]:
        node["score"] = None


def broken_lines(rows: Rows) -> None:
    """A step that was cut at its length, one with a blank line in it, and a blank end."""
    tree = rows[0]["tree"]
    tree[0] |= {"text": tree[0]["text"].rstrip(), "stop": "step_length"}
    tree[1]["text"] = "Two\n\nparts\n\n"
    last = rows[0]["candidates"][1]["leaf"]
    tree[last]["text"] += "\n\n"


@pytest.mark.parametrize("change", [untouched, cut_off, unscored, broken_lines])
def test_what_search_and_learn_publishes_is_read_back(
    change: Callable[[Rows], None], command: Main, tmp_path: Path
) -> None:
    folder = copied(tmp_path / "run", change)
    assert command(str(folder), "--to", "search_and_learn", "--out", str(tmp_path / "made"))[0] == 0
    file = tmp_path / "made" / "data" / "train.parquet"
    pools.main([str(file), "--format", "search_and_learn", "--out", str(tmp_path / "pool")])
    before, after = list(read(folder / "records.jsonl")), list(read(tmp_path / "pool" / "records.jsonl"))
    for name in ("problem_id", "reference", "answer", "correct", "chosen"):
        assert [getattr(one, name) for one in after] == [getattr(one, name) for one in before], name
    for mine, theirs in zip(before, after, strict=True):
        for name in ("answer", "group", "score", "correct", "tokens", "finished"):
            found = [getattr(one, name) for one in theirs.candidates]
            assert found == [getattr(one, name) for one in mine.candidates], name


def test_the_columns_are_those_published(command: Main, tmp_path: Path) -> None:
    command(str(GOLDEN / "run"), "--to", "search_and_learn", "--out", str(tmp_path / "made"))
    found = table(tmp_path / "made", "train")
    names = [f"pred_{name}@{n}" for n in (1, 2, 4, 8) for name in ("weighted", "maj", "naive")]
    known = "problem answer subject level unique_id completions scores pred completion_tokens agg_scores finished"
    assert list(found.columns) == [*known.split(), *names]
    row, first = found.iloc[0], records(GOLDEN / "run")[0]
    best = max(range(8), key=lambda at: first["candidates"][at]["score"])
    assert row["pred"] == row["completions"][best] and row["pred_weighted@8"] == r"\boxed{4}"
    assert list(row["agg_scores"]) == [one["score"] for one in first["candidates"]]
    assert [len(scores) for scores in row["scores"]] == [text.count("\n\n") + 1 for text in row["completions"]]


def test_a_search_that_compared_its_candidates_has_no_smaller_n(command: Main, tmp_path: Path) -> None:
    def shared(rows: Rows) -> None:
        rows[0]["tree"][6]["parent"] = 0  # the second candidate goes on from the first one's step

    folder = copied(tmp_path / "run", shared)
    command(str(folder), "--to", "search_and_learn", "--out", str(tmp_path / "made"))
    names = [name for name in table(tmp_path / "made", "train").columns if "@" in name]
    assert names == ["pred_weighted@8", "pred_maj@8", "pred_naive@8"]


def test_a_data_set_is_pushed(command: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub() as served:
        monkeypatch.setattr(push, "HfApi", lambda: HfApi(endpoint=served.address, token="hf_x"))
        arguments = str(GOLDEN / "run"), "--to", "parquet", "--push", "me/mine"
        code, out, err = command(*arguments, "--out", str(tmp_path / "made"))
        assert (code, err) == (0, "") and out.splitlines()[-1] == f"{served.address}/datasets/me/mine"
        assert served.made == [
            {"name": "mine", "organization": "me", "type": "dataset", "visibility": "private"}]  # fmt: skip
        written = {file.relative_to(tmp_path / "made").as_posix(): file.read_bytes()
                   for file in (tmp_path / "made").rglob("*") if file.is_file()}  # fmt: skip
        assert served.files == written and set(written) == {"README.md", *(f"data/{name}.parquet" for name in (
            "problems", "candidates", "tree"))}  # fmt: skip
        served.refuses = True
        code, _, err = command(*arguments, "--out", str(tmp_path / "again"))
        assert code == 2 and err.count("\n") == 1 and "cannot push to me/mine" in err


def test_mistakes_are_one_line(command: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(rows: Rows) -> None:
        rows[0]["candidates"][0]["leaf"] = 999

    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("")
    running = copied(tmp_path / "running")
    (running / "summary.json").unlink()
    run, new = str(GOLDEN / "run"), str(tmp_path / "new")
    monkeypatch.chdir(tmp_path)
    forget()
    for arguments, told in (
        ([str(tmp_path), "--to", "parquet", "--out", new], "is not the folder of a run"),
        ([str(running), "--to", "parquet", "--out", new], "is not finished"),
        ([run, "--to", "parquet", "--out", str(tmp_path / "full")], "is there already and not empty"),
        ([run, "--to", "search_and_learn", "--out", new], "are not at hand: dataset file problems.jsonl"),
        ([run, "--to", "csv", "--out", new], "--to"),
        ([run, "--to", "parquet", "--out", new, "--public"], "it needs --push"),
        ([str(copied(tmp_path / "lost", lost)), "--to", "parquet", "--out", new], "no step 999"),
    ):
        code, out, err = command(*arguments)
        assert (code, out, err.count("\n")) == (2, "", 1) and told in err, (arguments, err)
        assert not Path(new).exists()


def test_what_an_imported_run_does_not_know_is_null(command: Main, tmp_path: Path) -> None:
    command(str(GOLDEN / "run"), "--to", "search_and_learn", "--out", str(tmp_path / "made"))
    file = tmp_path / "made" / "data" / "train.parquet"
    pools.main([str(file), "--format", "search_and_learn", "--out", str(tmp_path / "pool")])
    assert command(str(tmp_path / "pool"), "--to", "parquet", "--out", str(tmp_path / "again"))[0] == 0
    problems = table(tmp_path / "again", "problems")
    assert problems["policy_flops"].isna().all() and list(problems["generations"]) == [8, 8, 8]


def test_confidence_has_columns(command: Main, tmp_path: Path) -> None:
    def sure(rows: Rows) -> None:
        rows[0]["candidates"][2]["confidence"], rows[0]["tree"][1]["confidence"] = [12.5, None], [12.0, 3.5, 9.0, 4.0]

    command(str(copied(tmp_path / "run", sure)), "--to", "parquet", "--out", str(tmp_path / "made"))
    candidates, tree = table(tmp_path / "made", "candidates"), table(tmp_path / "made", "tree")
    assert candidates["confidence"][2] == 12.5 and candidates["least_confidence"].isna().all()
    columns = "confidence", "least_confidence", "tail_confidence", "bottom_confidence"
    assert [tree[name][1] for name in columns] == [12.0, 3.5, 9.0, 4.0]
    assert [tree[name].count() for name in columns] == [1] * 4 and candidates["tail_confidence"].isna().all()


def test_without_questions_the_tables_are_written_all_the_same(
    command: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    forget()
    assert command(str(GOLDEN / "run"), "--to", "parquet", "--out", "made")[0] == 0
    assert table(tmp_path / "made", "problems")["question"].isna().all()
