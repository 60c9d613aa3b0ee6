"""Of runs that repeat one another the one with the most problems is read, and what is left out is said."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from analysis.estimates import bins, evaluate
from analysis.figures.calibration import Calibration
from analysis.figures.quality import Quality
from analysis.papers import revisions, thinking
from analysis.runs.load import load
from tests.analysis.folders import Made, problem, simulated, write

LEFT = r"left out a \(n=4, 5 problems\), which b \(n=4, 12 problems\) stands for"


def twice(root: Path, **named: Any) -> Path:
    """As `dataset.limit=5` and `dataset.limit=12` write them: by the order of their folders the smaller comes first."""
    for folder, limit in (("a", 5), ("b", 12)):
        write(root / folder, simulated(12, 4)[:limit], n=4, **named)
    return root


@pytest.mark.parametrize("strategy", ["best_of_n", "beam_search", "dvts", "greedy"])
def test_a_run_of_fewer_problems_displaces_none_of_more(tmp_path: Path, strategy: str) -> None:
    root = tmp_path
    for folder, limit in (("a", 5), ("b", 12)):
        made = simulated(12, 4, width=2 if strategy == "dvts" else None)[:limit]
        write(root / folder, made, strategy=strategy, n=4, width=2 if strategy == "dvts" else None)
    with pytest.warns(UserWarning, match=r"left out a \(n=\d, 5 problems\), which b \(n=\d, 12 problems\) stands for"):
        found = evaluate.summary(evaluate.evaluate(load(root)))
    assert set(found["n_problems"]) == {12}


def test_a_larger_run_of_fewer_problems_is_read_and_the_other_is_said(tmp_path: Path) -> None:
    write(tmp_path / "a", simulated(12, 8)[:5], n=8)
    write(tmp_path / "b", simulated(12, 4), n=4)
    with pytest.warns(UserWarning, match=r"left out b \(n=4, 12 problems\), which a \(n=8, 5 problems\) stands for"):
        found = evaluate.summary(evaluate.evaluate(load(tmp_path)))
    assert set(found["n"]) == {1, 2, 4, 8}


def test_what_a_larger_run_holds_already_is_left_out_silently(tmp_path: Path) -> None:
    write(tmp_path / "a", simulated(5, 4), n=4)
    write(tmp_path / "b", simulated(12, 8), n=8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert set(evaluate.summary(evaluate.evaluate(load(tmp_path)))["n_problems"]) == {12}


def test_bins_come_from_the_pool_of_the_most_problems(tmp_path: Path) -> None:
    assert bins.largest(load(twice(tmp_path)), "oracle")[0].runs["run"].tolist() == ["b"]


def test_model_cards_and_calibration_are_of_the_most_problems(tmp_path: Path) -> None:
    twice(tmp_path)
    write(tmp_path / "greedy", simulated(12, 1), strategy="greedy", n=1)
    with pytest.warns(UserWarning, match=LEFT):
        (sheet,) = Quality().panels(load(tmp_path))
    assert sheet.table["n_problems"].max() == 12
    with pytest.warns(UserWarning, match=LEFT):
        (panel,) = Calibration("best_of_n", 5).panels(load(tmp_path))
    assert set(panel.table["problems"]) == {12}


def test_revisions_are_of_the_most_problems(tmp_path: Path) -> None:
    rows = [problem(f"p{i}", [Made(0, 0.9, True, 0), Made(1, 0.2, False, 0)], True) for i in range(12)]
    for folder, limit in (("a", 5), ("b", 12)):
        write(tmp_path / folder, rows[:limit], strategy="revisions", n=2, settings={"chains": 1})
    with pytest.warns(UserWarning, match=r"left out a \(n=2, 5 problems\), which b \(n=2, 12 problems\)"):
        (run,) = revisions.longest(load(tmp_path), "revisions")
    assert len(run.problems) == 12


def test_thinking_is_of_the_most_problems(tmp_path: Path) -> None:
    rows = simulated(12, 4)
    for row in rows:
        for candidate in row["candidates"]:
            candidate["thinking"] = 5
    for folder, limit in (("a", 5), ("b", 12)):
        write(tmp_path / folder, rows[:limit], strategy="budget_forcing", n=4)
    with pytest.warns(UserWarning, match=LEFT):
        (one,) = thinking.evaluations(load(tmp_path), ["budget_forcing"])
    assert len(one.table) == 12


def test_the_part_of_a_dataset_with_the_most_problems_is_read(tmp_path: Path) -> None:
    made = simulated(12, 4)
    write(tmp_path / "a", made[:2], n=4, shard=(0, 2))
    write(tmp_path / "b", made[:6], n=4, shard=(0, 2))
    write(tmp_path / "c", made[6:], n=4, shard=(1, 2))
    with pytest.warns(UserWarning, match="the same shard once more, left out: a"):
        records = load(tmp_path)
    assert records.runs[["run", "problems"]].to_numpy().tolist() == [["b", 12]]
