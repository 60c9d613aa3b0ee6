"""Scores of labelled solutions: agreement with the labels, and where a solution goes wrong first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.estimates import scores
from analysis.estimates.calibration import brier, reliability
from analysis.figures.accuracy import Accuracy
from analysis.figures.calibration import Calibration
from analysis.figures.first_error import FirstWrongStep
from analysis.figures.gain import Gain
from analysis.figures.verifier_table import VerifierTable
from analysis.papers.first_error import first_error
from analysis.runs.load import RecordsError, load
from tests.analysis.folders import simulated, write

Row = tuple[Sequence[float], Sequence[float | None]]  # labels, scores


def made(folder: Path, rows: Sequence[Row]) -> Path:
    """A file of scores, two solutions to a question."""
    folder.mkdir(parents=True)
    lines: list[dict[str, Any]] = [{"settings": {}}]
    for number, (labels, given) in enumerate(rows):
        lines.append({"problem_id": f"s{number}", "question": f"q{number // 2}", "steps": ["a"] * len(labels),
                      "labels": list(labels), "scores": list(given)})  # fmt: skip
    (folder / "scores.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def solutions(count: int, noise: float, seed: int = 0) -> list[Row]:
    """Half of them go wrong at a step of four. noise: standard deviation of what is added to a score."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    for number in range(count):
        first = int(rng.integers(4)) if number % 2 else 4
        labels = [float(step < first) for step in range(4)]
        rows.append((labels, list(np.clip([0.8 * x + 0.1 + rng.normal(0, noise) for x in labels], 0, 1))))
    return rows


def test_a_verifier_that_knows_finds_every_first_error(tmp_path: Path) -> None:
    made(tmp_path / "oracle", solutions(60, 0.0))
    found = first_error(scores.read(load(tmp_path)), "oracle")
    assert (found.wrong.mean, found.right.mean, found.f1.mean) == (1.0, 1.0, 1.0)
    assert 0.1 < found.threshold <= 0.9
    assert 0 < found.questions < 30 and found.solutions == 2 * found.questions


def test_the_first_step_below_the_threshold_is_the_one_that_counts() -> None:
    """Found: a; too early: b; too late: c; a right solution left alone: d, not left alone: e."""
    kinds = {"a": ([1, 0], [0.9, 0.1]), "b": ([1, 0], [0.1, 0.1]), "c": ([0, 0], [0.9, 0.1]), "d": ([1, 1], [0.9, 0.8]),
             "e": ([1, 1], [0.1, 0.9])}  # fmt: skip
    rows = [(f"q{number}{kind}", *pair) for number in range(60) for kind, pair in kinds.items()]
    table = pd.DataFrame(rows, columns=["question", "labels", "scores"])
    found = first_error(table, "some")
    halves = table[[not text for text in _chosen(table["question"])]]
    names = halves["question"].str[-1]
    assert found.wrong.mean == pytest.approx((names == "a").sum() / names.isin(["a", "b", "c"]).sum())
    assert found.right.mean == pytest.approx((names == "d").sum() / names.isin(["d", "e"]).sum())
    a, b = found.wrong.mean, found.right.mean
    assert found.f1.mean == pytest.approx(2 * a * b / (a + b))
    assert found.f1.low < found.f1.mean < found.f1.high


def _chosen(questions: pd.Series) -> list[bool]:
    from hashlib import blake2b

    return [blake2b(f"half/{text}".encode()).digest()[0] % 2 == 0 for text in questions]


def test_better_scores_find_more(tmp_path: Path) -> None:
    for name, noise in (("good", 0.1), ("weak", 0.5)):
        made(tmp_path / name, solutions(400, noise))
    (panel,) = FirstWrongStep().panels(load(tmp_path))
    means = panel.table.set_index(["verifier", "measure"])["mean"]
    assert means["good", "f1"] > means["weak", "f1"] + 0.2
    panel.save(tmp_path / "out", ["png"])


def test_the_table_of_verifiers(tmp_path: Path) -> None:
    made(tmp_path / "prm", solutions(200, 0.2))
    made(tmp_path / "orm", [(labels, [None, None, None, given[-1]]) for labels, given in solutions(200, 0.2)])
    with pytest.warns(UserWarning, match="no first wrong step of orm: none of 200 solutions has a label and a score"):
        (sheet,) = VerifierTable().panels(load(tmp_path))
    values = sheet.table.set_index(["verifier", "measure"])
    assert values.loc[("prm", "auc"), "mean"] > 0.9 and values.loc[("prm", "auc"), "low"] > 0.5
    steps = scores.steps(scores.read(load(tmp_path / "prm")))
    assert values.loc[("prm", "correlation"), "mean"] == pytest.approx(
        np.corrcoef(steps["score"], steps["label"])[0, 1]
    )
    assert values.loc[("prm", "brier"), "mean"] == pytest.approx(((steps["score"] - steps["label"]) ** 2).mean())
    assert values.loc[("orm", "auc"), "steps"] == 200 and ("orm", "f1") not in values.index
    (row,) = (line for line in sheet.text.splitlines() if line.startswith("| orm"))
    assert row.count(" - ") == 4


def test_what_scores_do_not_allow(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match=r"no scores.jsonl here or below, which python -m ttcs.training stage=eval"):
        FirstWrongStep().panels(load(write(tmp_path / "run", simulated(4, 2), n=2)))
    made(tmp_path / "right", [([1, 1], [0.9, 0.9])] * 40)
    with pytest.raises(RecordsError, match="right: the half of the questions where the threshold is chosen has 0"):
        FirstWrongStep().panels(load(tmp_path / "right"))
    with pytest.raises(RecordsError, match="there are scores of a verifier here, but no run"):
        Accuracy("accuracy", "Accuracy", ["n"], None).panels(load(tmp_path / "right"))


def test_a_torn_line_is_left_out_and_a_broken_one_named(tmp_path: Path) -> None:
    file = made(tmp_path / "prm", solutions(4, 0.1)) / "scores.jsonl"
    file.write_text(file.read_text() + '{"question": "q9", "lab')
    assert len(scores.read(load(tmp_path))) == 4
    file.write_text(file.read_text() + "\n")
    with pytest.raises(RecordsError, match=r"scores.jsonl:6: not a line of scores \(JSONDecodeError"):
        scores.read(load(tmp_path))


def test_brier_and_reliability_by_hand() -> None:
    table = pd.DataFrame({"problem_id": ["a", "a", "b", "b"], "score": [0.1, 0.9, 0.95, 1.0],
                          "correct": [False, True, False, True]})  # fmt: skip
    score = brier(table["problem_id"], table["score"], table["correct"])
    assert score.mean == pytest.approx((0.01 + 0.01 + 0.9025 + 0.0) / 4)
    assert score.low == pytest.approx(0.01) and score.high == pytest.approx(0.9025 / 2)
    bins = reliability(table, 10).set_index("bin")
    assert list(bins.index) == [1, 9] and list(bins["count"]) == [1, 3]
    assert bins.loc[9, "accuracy"] == pytest.approx(2 / 3) and bins.loc[9, "n_problems"] == 2


def test_a_line_for_each_prm(tmp_path: Path) -> None:
    for seed, name in enumerate(("orm", "prm")):
        write(tmp_path / name, simulated(20, 8, seed), n=8, prm=name)
    (panel,) = Calibration("best_of_n", 10).panels(load(tmp_path))
    assert set(panel.table["method"]) == {"orm", "prm"}
    own = load(tmp_path / "orm").candidates
    known = own[own["group"].notna()]
    errors = (known["score"] - known["correct"].astype(float)) ** 2
    assert panel.table.set_index("method").loc["orm", "brier"].iloc[0] == pytest.approx(errors.mean())
    panel.save(tmp_path / "out", ["png"])
    with pytest.raises(RecordsError, match="no run of revisions with scores"):
        Calibration("revisions", 10).panels(load(tmp_path))


def test_what_a_verifier_adds(tmp_path: Path) -> None:
    write(tmp_path / "bon", simulated(20, 8), n=8)
    write(tmp_path / "greedy", simulated(20, 1, 3), strategy="greedy", n=1)
    (sheet,) = Gain(None, ["majority", "greedy", "best"]).panels(load(tmp_path))
    means = sheet.table.set_index("measure")["mean"]
    records = load(tmp_path)
    alone = records.of("greedy").problems["correct"].astype(float).mean()
    ours = records.of("bon").problems["correct"].astype(float).mean()
    assert means["weighted"] == pytest.approx(ours) and means["greedy"] == pytest.approx(ours - alone)
    assert "minus majority" in sheet.text and (sheet.table["n"] == 8).all()
    with pytest.raises(RecordsError, match="no run of best_of_n with scores"):
        Gain(None, ["majority"]).panels(load(tmp_path / "greedy"))


def test_wrong_siblings_are_those_that_go_on_from_the_same_steps(tmp_path: Path) -> None:
    """Two solutions part at their second step, where the wrong one is scored higher; the first one they share."""
    folder = made(tmp_path / "prm", [([1, 1], [0.9, 0.4]), ([1, 0], [0.9, 0.6]), ([1], [0.2])])
    lines = (folder / "scores.jsonl").read_text().replace('"steps": ["a", "a"]', '"steps": ["a", "b"]', 1)
    (folder / "scores.jsonl").write_text(lines)
    found = scores.siblings(scores.read(load(tmp_path)), 0.5)
    assert sorted(zip(found["problem_id"], found["parent"], found["score"], found["right"], strict=True)) == [
        ("q0", (), 0.9, True), ("q0", ("a",), 0.4, True), ("q0", ("a",), 0.6, False), ("q1", (), 0.2, True),
    ]  # fmt: skip
    (sheet,) = VerifierTable().panels(load(tmp_path))
    table = sheet.table.set_index("measure")["mean"]
    assert table["outranked"] == 1.0
    assert table["within"] == pytest.approx(2 / 3)  # of question q0 three right steps, two of them above the wrong one
