from __future__ import annotations

from pathlib import Path

import pytest

from analysis.figures.reductions import ReductionDifferences, Reductions
from analysis.runs.load import RecordsError, load
from tests.analysis.folders import Made, problem, simulated, write

ALL = ["last", "min", "prod", "mean"]


def test_the_same_samples_under_every_reduction(sweep: Path) -> None:
    (panel,) = Reductions("best", ALL, ["n"]).panels(load(sweep))
    assert list(panel.table["method"].unique()) == ALL
    at_one = panel.table[panel.table["n"] == 1]["accuracy"]
    assert at_one.tolist() == pytest.approx([at_one.iloc[0]] * 4)
    # The first step is always 0.5: multiplying by it or taking the mean with it keeps the order of the last.
    last, low, product, mean = (panel.table[panel.table["method"] == name]["accuracy"].tolist() for name in ALL)
    assert last == product == mean != low


def test_a_reduction_decides_by_its_own_scores(tmp_path: Path) -> None:
    made = [Made(0, 0.9, True), Made(1, 0.6), Made(1, 0.6)]  # last: 0.9 > 0.6; min: 0.5 each, the first one wins
    write(tmp_path, [problem("a", made, True), problem("b", [Made(1, 0.6), Made(0, 0.9, True)], True)], n=3)
    (panel,) = Reductions("best", ["last", "min"], ["n"]).panels(load(tmp_path))
    found = panel.table[panel.table["n"] == 3].set_index("method")["accuracy"]
    assert found.to_dict() == {"last": 1.0, "min": 0.5}


def test_without_scored_samples_there_is_nothing_to_reduce(tmp_path: Path) -> None:
    write(tmp_path / "beam", simulated(4, 4), strategy="beam_search", n=4)
    with pytest.raises(RecordsError, match="no run of best_of_n, whose samples"):
        Reductions("best", ALL, ["n"]).panels(load(tmp_path))
    write(tmp_path / "bon", [problem("a", [Made(0, None, True)] * 2, True)], n=2)
    with pytest.raises(RecordsError, match="no run of best_of_n was scored"):
        Reductions("best", ALL, ["n"]).panels(load(tmp_path))


def test_an_unknown_reduction_is_named(sweep: Path) -> None:
    with pytest.raises(RecordsError, match="unknown reduction 'max': one of last, min, prod, mean"):
        Reductions("best", ["max"], ["n"]).panels(load(sweep))


def test_reductions_are_compared_in_pairs(sweep: Path) -> None:
    """An interval of each says little: the samples are the same."""
    (sheet,) = ReductionDifferences(Reductions("best", ["last", "min", "prod"], ["n"])).panels(load(sweep))
    (panel,) = Reductions("best", ["last", "min", "prod"], ["n"]).panels(load(sweep))
    found = sheet.table.set_index(["a", "b", "n"])
    means = panel.table.set_index(["method", "n"])["accuracy"]
    assert found.loc[("min", "last", 8), "difference"] == pytest.approx(means["min", 8] - means["last", 8])
    assert (found.loc[("prod", "last", 8), ["low", "high"]] == 0).all()
    assert "min - last" in sheet.text.lower()
