from __future__ import annotations

from pathlib import Path

import pytest

from analysis.figures.verifiers import Verifiers
from analysis.runs.load import RecordsError, load
from tests.analysis.folders import simulated, write

FIGURE = Verifiers("weighted", "majority", ["n"])


def runs(root: Path, names: list[str]) -> Path:
    for number, name in enumerate(names):
        write(root / name, simulated(20, 8, number), n=8, prm=name)
    return root


def test_a_line_for_each_verifier_and_the_baseline_once(tmp_path: Path) -> None:
    records = load(runs(tmp_path, ["qwen2_5_prm", "orm"]))
    (panel,) = FIGURE.panels(records)
    assert set(panel.table["method"]) == {"qwen2_5_prm", "orm", "majority"}
    assert set(panel.table["label"]) == {"qwen2_5_prm", "orm", "Majority"}
    found = panel.table.set_index(["method", "n"])["accuracy"]
    for name in ("qwen2_5_prm", "orm"):
        recorded = records.of(name).problems["correct"].astype(float).mean()
        assert found[name, 8] == pytest.approx(recorded)


def test_one_verifier_is_no_comparison(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match=r"all runs have one PRM \(prm\): runs with another are missing"):
        FIGURE.panels(load(runs(tmp_path, ["prm"])))


def test_verifiers_are_compared_on_common_problems(tmp_path: Path) -> None:
    runs(tmp_path, ["prm"])
    write(tmp_path / "orm", simulated(12, 8, 5), n=8, prm="orm")
    with pytest.warns(UserWarning, match="compared on the 12 of 20 problems"):
        (panel,) = FIGURE.panels(load(tmp_path))
    assert set(panel.table["n_problems"]) == {12}


def test_verifiers_of_different_policies_are_not_compared(tmp_path: Path) -> None:
    runs(tmp_path, ["prm"])
    write(tmp_path / "orm", simulated(20, 8, 5), n=8, prm="orm", policy="large")
    with pytest.raises(RecordsError, match="different policy"):
        FIGURE.panels(load(tmp_path))


def test_the_method_must_have_been_run(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="no run of dvts with any of the PRMs orm, prm"):
        Verifiers("dvts", None, ["n"]).panels(load(runs(tmp_path, ["prm", "orm"])))
