"""Questions that are not mathematics: a vote by text, and the best of n by a verifier."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ttcs
from tests.running.worded import POLICY
from tests.typed import typed
from ttcs import __main__ as command
from ttcs import replay
from ttcs.config import components
from ttcs.records.record import Record
from ttcs.records.record_file import read

BASE = *POLICY, "prm=scripted", "dataset=jsonl", "dataset.path=asked.jsonl", "picture=none", "hydra.run.dir=out", "n=8"
BEHIND = "answer=text", "answer.behind='City:'"
MAJORITY = "selection=majority"

Run = Callable[..., tuple[dict[str, Any], list[Record], str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The summary of `python -m ttcs`, its records, and what it said."""
    monkeypatch.chdir(tmp_path)
    components.forget()
    rows = [{"id": f"q{i}", "question": f"Which city, {i}?", "answer": "paris"} for i in range(6)]
    Path("asked.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def start(*words: str) -> tuple[dict[str, Any], list[Record], str]:
        code, said, error = typed("ttcs", command.main, monkeypatch, capsys)(*BASE, *words)
        assert code == 0, error
        return json.loads(Path("out/summary.json").read_text()), list(read(Path("out/records.jsonl"))), said

    return start


def test_texts_vote_and_are_graded_as_they_stand(run: Run) -> None:
    summary, records, _ = run(*BEHIND, MAJORITY)
    assert summary["n_graded"] == 6 and 0.5 < summary["accuracy"] <= 1
    for record in records:
        votes = {word: sum(one.answer == word for one in record.candidates) for word in ("Paris", "PARIS", "Lyon")}
        assert sum(votes.values()) == 8 and {one.group for one in record.candidates} <= {0, 1}
        if votes["Lyon"] != 4:
            assert record.correct is (votes["Lyon"] < 4)


def test_mathematics_reads_no_answer_there_and_is_another_run(run: Run) -> None:
    summary, records, _ = run("answer=math", MAJORITY)
    assert summary["accuracy"] == 0 and all(record.answer is None for record in records)
    with pytest.raises(AssertionError, match=r"out belongs to another configuration: answer._target_ is absent there"):
        run(*BEHIND, MAJORITY)


def test_the_best_of_n_needs_no_answers(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is graded, though there are references."""
    summary, records, said = run("answer=none", "selection=best")
    assert (summary["accuracy"], summary["n_graded"], summary["pass_at_k"]) == (None, 0, {})
    assert "nothing is graded" in said
    for record in records:
        assert [one.group for one in record.candidates] == list(range(8)) and record.chosen is not None
        assert record.candidates[record.chosen].score == max(one.score or 0 for one in record.candidates)
        assert record.answer is not None and record.answer.startswith("## Step 1") and record.correct is None
    code, said, error = typed("ttcs.replay", replay.main, monkeypatch, capsys)("out", "n=4")
    assert code == 0 and "unknown" in said, error


@pytest.mark.parametrize(("answer", "early"), [(BEHIND, True), (("answer=none",), False)])
def test_votes_that_stop_go_by_the_same_answers(answer: tuple[str, ...], early: bool, run: Run) -> None:
    """What never agrees is never settled."""
    _, records, _ = run("strategy=adaptive_vote", "stopping=settled", "ahead=0", MAJORITY, *answer)
    assert any(len(record.candidates) < 8 for record in records) is early


def test_so_does_a_budget_that_is_shared(run: Run) -> None:
    _, records, _ = run("budget=shared", "budget.tokens=2000", *BEHIND, MAJORITY)
    assert any(record.answer in ("Paris", "PARIS") and record.correct for record in records)


def test_a_solver_is_told_in_each_call() -> None:
    with ttcs.solver(*POLICY, "prm=scripted", "n=8") as solver:
        assert solver.solve("Which city?").answer is None
        voted = solver.solve("Which city?", "answer.behind='City:'", answer="text", selection="majority")
        assert voted.answer in ("Paris", "PARIS", "Lyon") and len(voted.answers) == 2
        best = solver.solve("Which city?", answer="none", selection="best")
        assert best.answer == (best.text or "").strip() and len(best.answers) == 8
        with pytest.raises(ttcs.UserError, match="answer has no option words; it has math, none, text"):
            solver.solve("Which city?", answer="words")
