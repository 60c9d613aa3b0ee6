"""The jobs of an array are one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.estimates.evaluate import evaluate, summary
from analysis.runs.load import RecordsError, load
from tests.analysis.folders import simulated, write


def parts(root: Path, count: int = 3, seed: int = 0) -> Path:
    made = simulated(10, 4, seed)
    for shard in range(count):
        write(root / f"s{seed}-{shard}", made[shard::count], n=4, seed=seed, shard=(shard, count))
    return root


def test_parts_are_one_run_with_all_problems_and_the_sum_of_the_seconds(tmp_path: Path) -> None:
    records = load(parts(tmp_path / "parts"))
    whole = load(write(tmp_path / "whole", simulated(10, 4), n=4))
    assert records.runs["run"].tolist() == ["s0-0"]
    assert records.runs["wall_seconds"].tolist() == [24.0]
    assert len(records.of("s0-0").problems) == 10
    assert len(records.of("s0-0").candidates) == 40
    found, expected = (summary(evaluate(one)).set_index(["method", "n"])["accuracy"] for one in (records, whole))
    assert found.to_dict() == pytest.approx(expected.to_dict())


def test_seeds_and_shards_are_told_apart(tmp_path: Path) -> None:
    assert load(parts(parts(tmp_path), seed=1)).runs["run"].tolist() == ["s0-0", "s1-0"]


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    parts(tmp_path)
    (tmp_path / "s0-1" / "records.jsonl").unlink()
    with pytest.warns(UserWarning, match="s0-0: of 3 shards there is no number 1"):
        assert len(load(tmp_path).problems) == 7


def test_a_run_is_finished_when_its_parts_are(tmp_path: Path) -> None:
    parts(tmp_path)
    (tmp_path / "s0-2" / "summary.json").unlink()
    assert load(tmp_path).runs["finished"].tolist() == [False]


def test_a_part_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    write(parts(tmp_path) / "t", simulated(10, 4)[0::3], n=4, shard=(0, 3))
    with pytest.warns(UserWarning, match="the same shard once more, left out: t"):
        records = load(tmp_path)
    assert (len(records.runs), len(records.problems), len(records.candidates)) == (1, 10, 40)


def test_a_problem_of_two_parts_is_an_error(tmp_path: Path) -> None:
    made = simulated(4, 4)
    write(tmp_path / "a", made[:3], n=4, shard=(0, 2))
    write(tmp_path / "b", made[2:], n=4, shard=(1, 2))
    with pytest.raises(RecordsError, match="a: problem p002 is in two of its shards"):
        load(tmp_path)
