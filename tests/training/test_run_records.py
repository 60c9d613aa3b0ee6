"""Labelled solutions from the records of runs: what outcome verifiers learn from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import tiny
from tests.training.solutions import stage
from tests.typed import typed
from ttcs.__main__ import main
from ttcs.errors import UserError
from ttcs.prms.outcome import Outcome
from ttcs.records.record_file import read
from ttcs.training.run_records import RunRecords

Start = Callable[..., Path]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Start:
    def run(*overrides: str) -> Path:
        scripted = ("policy=scripted", "prm=scripted", "selection=majority", "dataset.limit=20")
        folder = tmp_path / "runs" / str(len(list((tmp_path).glob("runs/*"))))
        command = typed("ttcs", main, monkeypatch, capsys, *scripted, f"hydra.run.dir={folder}")
        code, _, error = command(*overrides)
        assert code == 0, error
        return folder

    return run


def test_samples_are_labelled_by_their_answers_and_kept_once(start: Start) -> None:
    folder = start("strategy=best_of_n", "n=8", "policy.max_tokens=100")
    found = list(RunRecords(str(folder), 0).solutions())
    records = {record.problem_id: record for record in read(folder / "records.jsonl")}
    assert {solution.problem.id for solution in found} == set(records)
    assert len(set(found)) == len(found)
    finished = [c for record in records.values() for c in record.candidates if c.answer is not None]
    assert 0 < len(finished) < 160  # some were cut off
    assert len(found) <= len(finished)
    for solution in found:
        *before, last = solution.labels
        assert set(before) <= {None}
        assert last == float(" err " not in "".join(solution.steps))
        assert r"\boxed" in solution.steps[-1]
        assert solution.attempts == ()


def test_at_most_so_many_of_a_problem_drawn_by_the_seed(start: Start) -> None:
    folder = str(start("strategy=best_of_n", "n=8"))
    few, again, other = (list(RunRecords(folder, seed, 3).solutions()) for seed in (0, 0, 1))
    assert len(few) == 60
    assert few == again != other
    assert set(few) < set(RunRecords(folder, 0).solutions())


def test_attempts_come_with_those_they_revise(start: Start) -> None:
    folder = start("strategy=revisions", "n=8", "strategy.chains=1", "strategy.window=2")
    (first, *_) = read(folder / "records.jsonl")
    found = [s for s in RunRecords(str(folder), 0, revisions=True).solutions() if s.problem.id == first.problem_id]
    texts = ["".join(solution.steps) for solution in found]
    assert len(found) == 8
    assert [len(solution.attempts) for solution in found] == [0, 1, 2, 2, 2, 2, 2, 2]
    for place, solution in enumerate(found):
        assert [attempt.replace("\n\n", "") for attempt in solution.attempts] == [
            text.replace("\n\n", "") for text in texts[max(0, place - 2) : place]
        ]


def test_all_runs_below_a_folder_are_read(start: Start) -> None:
    first = start("strategy=best_of_n", "n=4", "seed=0")
    start("strategy=best_of_n", "n=4", "seed=1")
    one, both = (list(RunRecords(str(folder), 0).solutions()) for folder in (first, first.parent))
    assert len(both) == 2 * len(one)


def test_a_verifier_trains_on_revisions(start: Start, tmp_path: Path) -> None:
    folder = start("strategy=revisions", "n=4", "strategy.chains=1")
    request = Outcome(attempts=2, request="Write a better solution.")
    source = RunRecords(str(folder), 0, revisions=True)
    stage(tmp_path, request, tiny.outcome(), solutions=source).run()
    assert (tmp_path / "out" / "model.safetensors").exists()


def test_what_cannot_be_learnt_from_is_said(start: Start, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no run \(records\.jsonl\) in .*nowhere or below it"):
        list(RunRecords(str(tmp_path / "nowhere"), 0).solutions())
    folder = start("strategy=best_of_n", "n=4")
    with pytest.raises(UserError, match="none of its candidates is a revision"):
        list(RunRecords(str(folder), 0, revisions=True).solutions())
    unfinished = start("strategy=best_of_n", "n=4", "policy.max_tokens=10")
    with pytest.raises(UserError, match="no candidate with an answer"):
        list(RunRecords(str(unfinished), 0).solutions())
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace("limit: 20", "limit: 3"))
    with pytest.raises(UserError, match=r"its data set, of 3 problems, has no "):
        list(RunRecords(str(folder), 0).solutions())
