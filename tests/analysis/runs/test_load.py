from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from analysis.runs.load import RecordsError, load
from analysis.runs.reduction import rescore
from tests.analysis.folders import Made, problem, write


@pytest.fixture
def run(tmp_path: Path) -> Path:
    made = [Made(0, 0.9, True), Made(None), Made(1, 0.2)]
    return write(tmp_path / "run", [problem("a", made, True, level=3), problem("b", made, False)], n=3, seed=5)


def test_tables_have_their_columns_and_types(run: Path) -> None:
    records = load(run.parent)
    assert records.runs.iloc[0][["run", "strategy", "n", "seed"]].tolist() == ["run", "best_of_n", 3, 5]
    assert records.problems["problem_id"].tolist() == ["a", "b"]
    assert records.problems["decoded_tokens"].tolist() == [30, 30]
    assert records.problems["n_candidates"].tolist() == [3, 3]
    candidates = records.candidates
    assert candidates["index"].tolist() == [0, 1, 2] * 2
    assert candidates["group"].isna().tolist() == [False, True, False] * 2
    assert candidates["level"].tolist() == [3, 3, 3, 1, 1, 1]
    assert str(candidates["group"].dtype) == "Int64"
    assert str(candidates["correct"].dtype) == "boolean"


def test_runs_are_found_at_any_depth_and_told_apart(tmp_path: Path) -> None:
    for name in ("x/1", "x/2", "y"):
        write(tmp_path / name, [problem("a", [Made(0)], True)], n=1)
    records = load(tmp_path)
    assert records.runs["run"].tolist() == ["x/1", "x/2", "y"]
    assert len(records.of("x/2").candidates) == 1


def test_a_run_in_progress_is_read_from_its_configuration(tmp_path: Path) -> None:
    records = load(
        write(tmp_path, [problem("a", [Made(0)], True)], strategy="dvts", n=8, seed=2, width=4, finished=False)
    )
    row = records.runs.iloc[0]
    assert row[["strategy", "selection", "n", "seed", "width", "finished"]].tolist() == [
        "dvts", "weighted", 8, 2, 4, False,
    ]  # fmt: skip
    assert "width=4" in row["settings"]


def test_greedy_is_a_run_of_one(tmp_path: Path) -> None:
    assert load(write(tmp_path, [problem("a", [Made(0)], True)], strategy="greedy", n=16)).runs.iloc[0]["n"] == 1


@pytest.mark.parametrize("reduction, expected", [("last", 0.9), ("min", 0.5), ("prod", 0.45), ("mean", 0.7)])
def test_reductions_are_evaluated_from_the_tree(run: Path, reduction: str, expected: float) -> None:
    candidates = load(run).candidates
    assert candidates["step_scores"].iloc[0] == (0.5, 0.9)
    assert candidates["step_scores"].iloc[1] == (0.5,)  # its second step has no score
    assert rescore(candidates, reduction)["score"].iloc[0] == pytest.approx(expected)


def test_a_candidate_without_scores_stays_without(run: Path) -> None:
    candidates = load(run).candidates.head(1).assign(step_scores=[()])
    assert math.isnan(rescore(candidates, "min")["score"].iloc[0])
    with pytest.raises(RecordsError, match="unknown reduction 'max'"):
        rescore(candidates, "max")


def test_a_torn_last_line_is_skipped_with_a_warning(run: Path) -> None:
    with (run / "records.jsonl").open("a") as file:
        file.write('{"problem_id": "c", "lev')
    with pytest.warns(UserWarning, match=r"records\.jsonl:3: incomplete last line"):
        assert len(load(run).problems) == 2


def test_a_run_without_a_complete_record_is_skipped(run: Path, tmp_path: Path) -> None:
    write(tmp_path / "new", [], n=3)
    with pytest.warns(UserWarning, match="no records yet"):
        assert load(tmp_path).runs["run"].tolist() == ["run"]


@pytest.mark.parametrize(
    "line, message",
    [
        ("{nonsense", r"records\.jsonl:3: not JSON"),
        ("[1, 2]", r"records\.jsonl:3: not a JSON object"),
        ('{"problem_id": "c"}', r"records\.jsonl:3: malformed record: no field"),
        ('{"problem_id": "c", "correct": true, "candidates": 3}', r"records\.jsonl:3: malformed record"),
        (json.dumps(problem("a", [], True)), r"records\.jsonl:3: problem a again \(first on line 1\)"),
    ],
)
def test_a_malformed_line_is_named(run: Path, line: str, message: str) -> None:
    with (run / "records.jsonl").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(RecordsError, match=message) as caught:
        load(run)
    assert "\n" not in str(caught.value)


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="no records"):
        load(tmp_path)
    with pytest.raises(RecordsError, match="no such file or folder"):
        load(tmp_path / "absent")


def test_records_need_a_configuration_beside_them(run: Path) -> None:
    (run / "summary.json").unlink()
    (run / "config.yaml").write_text("strategy: [")
    with pytest.raises(RecordsError, match=r"config\.yaml"):
        load(run)
    (run / "config.yaml").unlink()
    with pytest.raises(RecordsError, match=r"without a config\.yaml or a summary\.json"):
        load(run)
