from __future__ import annotations

from pathlib import Path

import pytest

from analysis.figures.accuracy import Accuracy
from analysis.figures.paper import Paper
from analysis.figures.table import Table
from analysis.runs.load import RecordsError, load

ACCURACY, LOOKAHEAD = Accuracy("accuracy", "Accuracy", ["n"], None), Accuracy("look", "Look", ["n"], ["lookahead"])


def test_what_is_missing_for_a_figure_is_said(sweep: Path) -> None:
    paper = Paper({"accuracy": ACCURACY, "lookahead": LOOKAHEAD, "table": Table([4], False)})
    with pytest.warns(UserWarning, match="no figure=lookahead: no run of lookahead; there are greedy, ") as caught:
        outputs = paper.panels(load(sweep))
    assert len(caught) == 1
    assert [output.name for output in outputs] == ["accuracy_vs_n", "table"]


def test_no_figure_at_all_is_an_error(sweep: Path) -> None:
    with pytest.warns(UserWarning), pytest.raises(RecordsError, match="allow none of the figures lookahead"):
        Paper({"lookahead": LOOKAHEAD}).panels(load(sweep))
