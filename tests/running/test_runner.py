"""Whole runs in this process, on the scripted pair."""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from ttcs import __main__ as command
from ttcs.choice.reduction import last
from ttcs.choice.selection import Weighted
from ttcs.config import components
from ttcs.core import Continued, Judged, Problem, Step, Stop, Trajectory
from ttcs.errors import EngineError
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.prms.scripted import ScriptedPRM
from ttcs.records.grade import grade
from ttcs.records.record_file import read
from ttcs.records.summary import pass_at_k
from ttcs.search import clock
from ttcs.search.execution import Outcome
from ttcs.search.ledger import Ledger
from ttcs.search.tree import Node

Run = Callable[..., dict[str, Any]]
BASE = ["policy=scripted", "prm=scripted", "dataset=jsonl", "dataset.path=p.jsonl", "dataset.columns.level=level"]


@dataclass(slots=True)
class CountedPolicy(ScriptedPolicy):
    """Counts how often it was made."""

    made: list[int] = field(default_factory=lambda: MADE)

    def __post_init__(self) -> None:
        self.made.append(1)


@dataclass(slots=True)
class CountedPRM(ScriptedPRM):
    def __post_init__(self) -> None:
        JUDGES.append(1)


MADE: list[int] = []
JUDGES: list[int] = []
COUNTED = [f"policy._target_={__name__}.CountedPolicy", f"prm._target_={__name__}.CountedPRM"]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `python -m ttcs` with the overrides in a folder of its own; the summary of the folder `out`."""
    monkeypatch.chdir(tmp_path)
    components.forget()
    rows = [{"id": f"p{i}", "question": f"{i} + 1?", "answer": str(i + 1), "level": i % 5 + 1} for i in range(10)]
    Path("p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    MADE.clear()
    JUDGES.clear()

    def start(*overrides: str) -> dict[str, Any]:
        where = [] if "-m" in overrides else ["hydra.run.dir=out"]
        monkeypatch.setattr(sys, "argv", ["ttcs", *BASE, *where, *overrides])
        command.main()
        return {} if where == [] else json.loads(Path("out/summary.json").read_text())

    return start


def test_a_run_writes_what_the_records_page_says(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    summary = run("n=8")
    files = {path.name for path in Path("out").iterdir()}
    assert files >= {"config.yaml", "versions.json", "records.jsonl", "summary.json", "accuracy.png"}
    assert summary["n_problems"] == 10
    low, high = summary["ci95"]
    assert low <= summary["accuracy"] <= high
    assert list(summary["by_level"]) == ["1", "2", "3", "4", "5"]
    assert list(summary["pass_at_k"]) == ["1", "2", "4", "8"]
    assert summary["ledger"]["generations"] == 80
    names = {key: summary[key] for key in ("n", "seed", "strategy", "selection", "reduction", "policy", "dataset")}
    assert names == {"n": 8, "seed": 0, "strategy": "best_of_n", "selection": "weighted", "reduction": "last",
                     "policy": "scripted", "dataset": "p"}  # fmt: skip
    records = list(read(Path("out/records.jsonl")))
    assert sorted(record.problem_id for record in records) == sorted(f"p{i}" for i in range(10))
    assert summary["accuracy"] == sum(record.correct is True for record in records) / 10
    assert summary["ledger"]["decoded_tokens"] == sum(record.ledger.decoded_tokens for record in records)
    assert (summary["policy_parameters"], summary["prm_parameters"]) == (1_000_000, 2_000_000)
    assert {(record.policy_parameters, record.prm_parameters) for record in records} == {(1_000_000, 2_000_000)}
    printed = capsys.readouterr().out
    assert f"{summary['accuracy']:.1%}" in printed
    assert "out/records.jsonl" in printed and "out/accuracy.png" in printed


def test_a_finished_run_shows_its_table_and_runs_nothing(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("n=4", *COUNTED)
    files = {path: path.read_bytes() for path in Path("out").iterdir()}
    table = capsys.readouterr().out
    components.forget()
    run("n=4", *COUNTED)
    assert (len(MADE), len(JUDGES)) == (1, 1)
    assert capsys.readouterr().out == table
    assert {path: path.read_bytes() for path in Path("out").iterdir()} == files


def test_the_models_are_loaded_once_for_a_sweep(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("strategy=best_of_n,dvts", "-m", "n=4,8", *COUNTED)
    assert (len(MADE), len(JUDGES)) == (1, 1)
    assert len(list(Path("outputs").rglob("summary.json"))) == 4
    lines = capsys.readouterr().out.splitlines()
    last_table = lines[len(lines) - 1 - lines[::-1].index("sweep") :]
    assert Counter(word for line in last_table for word in line.split() if word in ("best_of_n", "dvts")) == {
        "best_of_n": 2,
        "dvts": 2,
    }


@pytest.mark.parametrize("single", ["strategy=greedy", "n=1"])
def test_the_prm_is_not_loaded_where_there_is_nothing_to_choose(run: Run, single: str) -> None:
    summary = run("selection=weighted", single, *COUNTED)
    assert (len(MADE), len(JUDGES)) == (1, 0)
    assert summary["ledger"]["prm_calls"] == 0
    assert (summary["policy_parameters"], summary["prm_parameters"]) == (1_000_000, None)
    records = list(read(Path("out/records.jsonl")))
    assert [(record.chosen, record.candidates[0].score) for record in records] == [(0, None)] * 10
    assert summary["accuracy"] == summary["pass_at_k"]["1"] > 0


def test_the_prm_is_not_loaded_where_nothing_reads_its_scores(run: Run) -> None:
    run("selection=majority", *COUNTED)
    assert (len(MADE), len(JUDGES)) == (1, 0)


def test_one_problem_without_a_reference_leaves_pass_at_k_to_the_others(run: Run) -> None:
    whole = run("n=8", "dataset.limit=9")
    rows = [json.loads(line) for line in Path("p.jsonl").read_text().splitlines()]
    Path("p.jsonl").write_text(
        "".join(json.dumps(row | {"answer": None} if row["id"] == "p9" else row) + "\n" for row in rows)
    )
    run("n=8", "hydra.run.dir=other")
    summary = json.loads(Path("other/summary.json").read_text())
    assert (summary["n_problems"], summary["n_graded"]) == (10, 9)
    assert summary["pass_at_k"] == whole["pass_at_k"] != {}


def test_pass_at_k_is_left_out_where_samples_are_not_independent(run: Run) -> None:
    assert run("strategy=beam_search", "n=8")["pass_at_k"] == {}


def test_greedy_is_one_sample(run: Run) -> None:
    summary = run("strategy=greedy")
    assert summary["ledger"]["generations"] == 10
    assert summary["pass_at_k"] == {"1": summary["accuracy"]}


def test_difficulty_bins_take_the_place_of_levels(run: Run) -> None:
    by_level = run("n=8", "difficulty=oracle", "difficulty.bins=2")["by_level"]
    assert set(by_level) == {"1", "2"}
    assert by_level["1"]["accuracy"] > by_level["2"]["accuracy"]


def test_a_dataset_without_levels_or_references(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    summary = run("dataset.columns.level=null", "dataset.columns.answer=null", "n=2")
    assert (summary["accuracy"], summary["ci95"], summary["by_level"]) == (None, None, {})
    assert summary["no_levels"] is None
    assert summary["n_problems"] == 10
    printed = capsys.readouterr()
    assert "nothing is graded" in printed.out and "level" not in printed.out + printed.err


def test_a_budget_is_passed_on(run: Run) -> None:
    assert run("budget=tokens", "budget.tokens=100")["ledger"]["decoded_tokens"] <= 1000


def test_the_same_folder_may_change_what_cannot_change_a_result(run: Run) -> None:
    assert run("n=4")["difficulty"] == "annotated"
    assert run("n=4", "difficulty=oracle")["difficulty"] == "oracle"


@dataclass(slots=True)
class Failing(ScriptedPolicy):
    """Raises MemoryError or what `FAILURE` names, half way."""

    calls: int = 0

    def step(self) -> list[tuple[int, Continued]]:
        self.calls += 1
        if self.calls == 5 and FAILURE:
            raise FAILURE.pop()
        return ScriptedPolicy.step(self)


@dataclass(slots=True)
class Undecided(ScriptedPRM):
    def judged(self, trajectory: Trajectory) -> Judged:
        scores = (*[0.5] * (len(trajectory.steps) - 1), math.nan)
        return replace(ScriptedPRM.judged(self, trajectory), scores=scores)


FAILURE: list[Exception] = []


@pytest.mark.parametrize("failure", [MemoryError(), EngineError("the engine has died")])
def test_an_engine_that_gives_out_keeps_what_is_recorded(
    run: Run, capsys: pytest.CaptureFixture[str], failure: Exception
) -> None:
    given = "n=4", "policy.capacity=8", f"policy._target_={__name__}.Failing"
    FAILURE[:] = [failure]
    with pytest.raises(SystemExit, match="2"):
        run(*given)
    kept = list(read(Path("out/records.jsonl")))
    assert 0 < len(kept) < 10
    line = "the engine has died" if isinstance(failure, EngineError) else "out of memory (a smaller batch_size"
    error = capsys.readouterr().err
    assert error.startswith(f"error: {line}") and error.count("\n") == 1
    assert error.endswith(f"; {len(kept)} of 10 problems are on record, and the same command goes on from there\n")
    components.forget()
    assert run(*given)["n_problems"] == 10
    assert list(read(Path("out/records.jsonl")))[: len(kept)] == kept


def test_a_score_that_is_none_names_its_problem(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run("n=4", f"prm._target_={__name__}.Undecided", "policy.min_depth=3", "policy.max_depth=3")
    assert "the PRM scored step 3 of a solution of problem p0 nan, which is not in [0, 1]" in capsys.readouterr().err


def test_the_clock_stops_for_loading(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100.0, 105.0, 105.0, 165.0, 170.0])
    monkeypatch.setattr(clock, "perf_counter", lambda: next(times))
    running = clock.Clock(20.0)
    assert running.seconds() == 25.0
    with running.stopped():
        pass
    assert running.seconds() == 30.0


def test_what_is_too_long_for_the_prm_is_told_and_does_not_end_the_run(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = run("n=8", "prm.context=90")
    unread = summary["ledger"]["unread"]
    assert unread > 1 and summary["prm_limit"] == 90 and summary["n_problems"] == 10
    printed = capsys.readouterr().out
    assert f"{unread} solutions were longer than the PRM reads (90 tokens): no answer" in printed
    records = list(read(Path("out/records.jsonl")))
    stops = [candidate.stop for record in records for candidate in record.candidates]
    assert stops.count(Stop.LENGTH) == unread == sum(record.ledger.unread for record in records)
    assert run("n=8", "prm.context=90") == summary  # the same command finds it done


def test_solutions_that_are_shorter_than_a_window_vote_by_their_mean(run: Run) -> None:
    summary = run("n=8", "selection=confidence", "selection.measure=least", "strategy.confidence=20",
                  "strategy.window=55")  # fmt: skip
    records = list(read(Path("out/records.jsonl")))
    sure = [one.confidence for record in records for one in record.candidates if one.confidence is not None]
    assert summary["n_problems"] == 10 and 0 < sum(told[1] is None for told in sure) < len(sure)
    assert all(record.chosen is not None for record in records)


@pytest.mark.parametrize(
    "given",
    [
        ("selection=self_certainty",),
        ("selection=confidence",),
        ("selection=confidence", "selection.measure=tail", "strategy.confidence=20"),
        ("selection=confidence", "strategy=beam_search"),
    ],
)
def test_a_selection_that_goes_by_what_nobody_asked_for_is_refused_before_a_model_is_loaded(
    run: Run, capsys: pytest.CaptureFixture[str], given: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run("n=4", *COUNTED, *given)
    error = capsys.readouterr().err
    assert error.startswith("error: this selection goes by how sure the policy was") and error.count("\n") == 1
    assert MADE == [] and not Path("out/records.jsonl").exists()


PROBLEM = Problem("p", "1 + 1?", answer="2")


def solution(node: int, text: str, stop: Stop, score: float | None) -> Trajectory:
    return Trajectory(PROBLEM, (Step(node, (1, 2), text, stop, score),))


def graded(*candidates: Trajectory, problem: Problem = PROBLEM) -> Any:
    tree = tuple(Node(None, candidate.steps[0]) for candidate in candidates)
    return grade(Outcome(problem, candidates, tree, Ledger()), Weighted(), last, 0.0)


def test_unfinished_candidates_never_answer() -> None:
    record = graded(
        solution(0, r"\boxed{3}", Stop.LENGTH, 0.9),
        solution(1, r"\boxed{3}", Stop.BUDGET, 0.9),
        solution(2, r"so \boxed{2}.", Stop.END, 0.1),
    )
    assert (record.answer, record.correct, record.chosen) == ("2", True, 2)
    assert [candidate.group for candidate in record.candidates] == [None, None, 0]
    assert [candidate.correct for candidate in record.candidates] == [False, False, True]
    assert [candidate.stop for candidate in record.candidates] == [Stop.LENGTH, Stop.BUDGET, Stop.END]


def test_equal_answers_vote_together() -> None:
    record = graded(
        solution(0, r"\boxed{3}", Stop.END, 0.5),
        solution(1, r"\boxed{\frac{4}{2}}", Stop.END, 0.3),
        solution(2, r"\boxed{2}", Stop.END, 0.4),
    )
    assert [candidate.group for candidate in record.candidates] == [0, 1, 1]
    assert (record.answer, record.correct, record.chosen) == ("2", True, 2)


def test_no_answer_is_a_wrong_answer_where_the_reference_is_known() -> None:
    assert graded(solution(0, "I give up", Stop.END, 0.9)).correct is False
    assert graded().correct is False
    unknown = Problem("p", "?")
    assert graded(solution(0, "I give up", Stop.END, 0.9), problem=unknown).correct is None
    assert graded(solution(0, r"\boxed{2}", Stop.END, 0.9), problem=unknown).candidates[0].correct is None


@pytest.mark.parametrize(
    ("samples", "correct", "k", "expected"), [(4, 1, 1, 0.25), (4, 1, 4, 1.0), (4, 2, 2, 5 / 6), (4, 0, 2, 0.0)]
)
def test_pass_at_k(samples: int, correct: int, k: int, expected: float) -> None:
    assert pass_at_k(samples, correct, k) == pytest.approx(expected)
