from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis.estimates import evaluate
from analysis.figures.curve import Curve, accuracy_vs_n, single
from analysis.runs.load import RecordsError, load
from tests.analysis.folders import Made, problem, write

PNG = b"\x89PNG\r\n\x1a\n"


def test_the_figure_of_a_run_lies_in_its_folder_with_its_numbers(sweep: Path) -> None:
    path = accuracy_vs_n(sweep / "bon0")
    assert path == sweep / "bon0" / "accuracy.png"
    assert path.read_bytes().startswith(PNG)
    assert path.stat().st_size > 10_000
    written = pd.read_csv(path.with_suffix(".csv"))
    expected = evaluate.summary(single(load(sweep / "bon0")))
    assert written["accuracy"].tolist() == pytest.approx(expected["accuracy"].tolist())
    assert written["low"].tolist() == pytest.approx(expected["low"].tolist())
    assert set(written["method"]) == {"majority", "best", "weighted", "pass"}
    assert sorted(written["n"].unique()) == [1, 2, 4, 8, 16]


@pytest.mark.parametrize(("run", "at"), [("dvts0", [4, 8, 16]), ("beam16-0", [16]), ("greedy", [1])])
def test_a_run_is_drawn_at_the_n_it_holds(sweep: Path, run: str, at: list[int]) -> None:
    written = pd.read_csv(accuracy_vs_n(sweep / run).with_suffix(".csv"))
    assert sorted(written["n"].unique()) == at


def test_only_one_run_has_a_curve(sweep: Path) -> None:
    with pytest.raises(RecordsError, match="9 runs, where the folder of one was expected"):
        Curve().panels(load(sweep))


def test_no_reference_no_figure(tmp_path: Path) -> None:
    run = write(tmp_path, [problem("a", [Made(0, 0.5)], None)], n=1)
    with pytest.raises(RecordsError, match="no problem has a known reference"):
        accuracy_vs_n(run)


def test_one_problem_is_drawn_without_interval(tmp_path: Path) -> None:
    run = write(tmp_path, [problem("a", [Made(0, 0.5, True), Made(1, 0.4)], True)], n=2)
    assert accuracy_vs_n(run).exists()
    assert pd.read_csv(run / "accuracy.csv")["low"].isna().all()
