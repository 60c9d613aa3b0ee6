from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from analysis.drawing import bars
from analysis.estimates import evaluate
from analysis.figures.levels import Levels
from analysis.runs.load import RecordsError, load
from tests.analysis.folders import simulated, write


def figure(
    difficulty: str = "annotated", bins: int = 5, methods: Sequence[str] | None = None, at: Sequence[int] | None = None
) -> Levels:
    return Levels(difficulty, bins, False, methods, at)


def test_every_method_in_every_level_at_the_n_that_all_have(sweep: Path) -> None:
    (panel,) = figure().panels(load(sweep))
    assert panel.name == "levels_annotated"
    table = panel.table
    assert set(table["method"]) == {"majority", "best", "weighted", "beam_search", "dvts"}
    assert sorted(table["n"].unique()) == [4, 16]
    assert len(table) == 5 * 2 * 5
    estimates = evaluate.evaluate(load(sweep))
    one = estimates[(estimates["method"] == "dvts") & (estimates["n"] == 16) & (estimates["level"] == 3)]
    found = table.set_index(["method", "n", "bin"]).loc[("dvts", 16, 3)]
    assert found["accuracy"] == pytest.approx(one["correct"].mean())
    assert found["n_problems"] == 4


def test_bins_of_estimated_difficulty_hold_easier_problems_first(sweep: Path) -> None:
    (panel,) = figure("oracle", 2, ["majority"], [16]).panels(load(sweep))
    table = panel.table.set_index("bin")["accuracy"]
    assert list(table.index) == [1, 2]
    assert table[1] > table[2] + 0.2


def test_a_bar_for_each_row_with_its_interval(sweep: Path) -> None:
    (panel,) = figure().panels(load(sweep))
    ax = bars.levels(Figure().add_subplot(), panel.table)
    heights = sorted(patch.get_height() for patch in ax.patches)
    assert heights == pytest.approx(sorted(panel.table["accuracy"]))
    places = [patch.get_x() for patch in ax.patches]
    assert len(set(places)) == len(places)


def test_too_few_problems_in_a_level_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "run", simulated(12, 4), n=4)  # levels 1 and 2 have three problems, the others two
    with pytest.raises(RecordsError, match=r"level 3 holds 2 problems, fewer than 3: take more problems$"):
        figure().panels(load(tmp_path))


def test_too_few_problems_in_a_bin_is_an_error_with_a_remedy(sweep: Path) -> None:
    with pytest.raises(RecordsError, match=r"bin \d+ holds \d problems, fewer than 3.*fewer bins \(figure.bins\)"):
        figure("oracle", 10).panels(load(sweep))


def test_budgets_must_be_there(sweep: Path) -> None:
    with pytest.raises(RecordsError, match=r"no method has n = 64; all have \[4, 16\]"):
        figure(at=[4, 64]).panels(load(sweep))
    write(sweep / "look", simulated(20, 8), strategy="lookahead", n=8, width=4)
    with pytest.warns(UserWarning), pytest.raises(RecordsError, match="the methods have no n in common"):
        figure(methods=["beam_search", "lookahead"]).panels(load(sweep))
