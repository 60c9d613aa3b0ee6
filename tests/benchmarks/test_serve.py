"""The benchmark of the service asks what it says it asks; nothing here is timed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.serve import Load, measured, results
from ttcs.records.record_file import read


@pytest.mark.slow
def test_what_is_asked_of_the_service_is_searched_without_it_too(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    load, bare = asyncio.run(measured(3, 0.5, tmp_path / "kept"))
    assert load.lost == 0 and len(load.took) >= 3 and set(bare.took) == set(load.took)
    assert all(seconds > 0.9 for seconds in (*load.took.values(), *bare.took.values()))
    (file,) = (tmp_path / "kept").glob("*/records.jsonl")
    assert load.ids < {record.problem_id for record in read(file)}
    assert load.cpu > 0 and bare.cpu > 0
    assert all(size > 10**7 for size in load.memory) and len(load.memory) == 2


def test_what_was_added_is_taken_question_by_question() -> None:
    load = Load({"a": 1.010, "b": 2.002, "c": 3.003}, lost=1, cpu=0.012, memory=[100_000_000, 103_000_000])
    lost, median, highest, memory = results(load, Load({"a": 1.0, "b": 2.0, "c": 3.0}, cpu=0.006))
    assert (lost.measured.median, lost.met) == (1, False)
    assert median.measured.median == pytest.approx(3.0) and median.met
    assert median.cpu is not None and median.cpu.median == pytest.approx(2.0)
    assert highest.measured.median == pytest.approx(9.86)
    assert memory.measured.median == 3 and memory.met is None
    assert "3 questions" in report.table([median])
