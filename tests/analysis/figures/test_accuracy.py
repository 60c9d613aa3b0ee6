from __future__ import annotations

from pathlib import Path

import pytest

from analysis import evaluate
from analysis.figures.accuracy import Accuracy
from analysis.load import RecordsError, load
from tests.analysis.runs import simulated, write

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


def test_an_axis_that_is_not_one_is_an_error() -> None:
    with pytest.raises(RecordsError, match="against=joules: the axes are n, tokens, flops, seconds"):
        figure(["n", "joules"])
