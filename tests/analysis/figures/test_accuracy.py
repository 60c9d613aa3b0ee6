from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from analysis.estimates import evaluate
from analysis.figures.accuracy import Accuracy
from analysis.runs.load import RecordsError, load
from tests.analysis.folders import simulated, write

ALL = ["n", "tokens", "flops", "seconds"]


def figure(against: list[str], methods: list[str] | None = None) -> Accuracy:
    return Accuracy("accuracy", "Accuracy", against, methods)


def test_a_panel_against_n_tokens_flops_and_seconds(sweep: Path) -> None:
    panels = figure(ALL).panels(load(sweep))
    assert [panel.name for panel in panels] == [f"accuracy_vs_{axis}" for axis in ALL]
    estimates = evaluate.evaluate(load(sweep))
    expected = evaluate.summary(evaluate.chosen(estimates, None))
    assert panels[0].table["accuracy"].tolist() == expected["accuracy"].tolist()
    assert set(expected["method"]) == {"greedy", "majority", "best", "weighted", "beam_search", "dvts"}
    assert panels[0].note == (
        "20 problems, 2 seeds, 95% bootstrap intervals over problems; bands: subsets of a larger run, bars: a run per "
        "point"
    )


def test_only_the_methods_asked_for(sweep: Path) -> None:
    (panel,) = figure(["n"], ["greedy", "pass"]).panels(load(sweep))
    assert set(panel.table["method"]) == {"greedy", "pass"}
    with pytest.raises(RecordsError, match="no run of lookahead; there are greedy, majority, best, weighted, beam_sea"):
        figure(["n"], ["majority", "lookahead"]).panels(load(sweep))


def test_records_without_ledgers_are_drawn_against_n_and_seconds_alone(tmp_path: Path) -> None:
    made = [record | {"ledger": {}} for record in simulated(4, 4)]
    write(tmp_path / "run", made, n=4)
    with pytest.warns(UserWarning, match="no accuracy_vs_(tokens|flops): these records have no (decoded tokens|FLOPs)"):
        panels = figure(ALL).panels(load(tmp_path))
    assert [panel.name for panel in panels] == ["accuracy_vs_n", "accuracy_vs_seconds"]


def test_bars_at_one_n_stand_beside_each_other(sweep: Path) -> None:
    write(sweep / "look", simulated(20, 16, 5), strategy="lookahead", n=16, width=4)
    write(sweep / "look1", simulated(20, 16, 6), strategy="lookahead", n=16, width=4, seed=1)
    panel = figure(["n"]).panels(load(sweep))[0]
    axes = panel.draw(Figure().subplots(), panel.table)
    at = {line.get_label(): np.asarray(line.get_xdata())[-1] for line in axes.lines}
    assert at["Beam search"] < 16 < at["Lookahead"] and at["Lookahead"] / at["Beam search"] < 1.1
    assert at["DVTS"] == at["Majority"] == 16 and at["Greedy"] == 1


def test_an_axis_that_is_not_one_is_an_error() -> None:
    with pytest.raises(RecordsError, match="against=joules: the axes are n, tokens, flops, seconds"):
        figure(["n", "joules"])


def test_generations_are_n_and_what_is_looked_ahead(sweep: Path, tmp_path: Path) -> None:
    rows = simulated(20, 4, 3)
    for row in rows:
        row["ledger"] |= {"generations": 30, "lookahead_generations": 20}  # k = 2
    for seed in (0, 1):
        write(sweep / f"look{seed}", rows, strategy="lookahead", n=4, seed=seed, width=4)
    (panel,) = figure(["generations"]).panels(load(sweep))
    assert panel.name == "accuracy_vs_generations"
    found = panel.table.set_index(["method", "n"])["generations"]
    assert found["lookahead", 4] == 12 and found["beam_search", 4] == 4 and found["weighted", 8] == 8
    assert all(file.stat().st_size for file in panel.save(tmp_path, ["png"]))
