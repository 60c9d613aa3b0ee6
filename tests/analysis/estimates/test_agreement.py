"""Predicted against oracle bins: counts by hand, and what more samples bring."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from analysis.estimates.bins import estimates
from analysis.figures.agreement import Agreement
from analysis.runs.load import RecordsError, load
from tests.analysis.folders import Made, problem, simulated, write


def table(root: Path, number: int, **settings: object) -> pd.DataFrame:
    figure = Agreement(**{"name": "a", "bins": 2, "samples": None, "own": False, "resamples": 20} | settings)  # type: ignore[arg-type]
    return figure.panels(load(root))[number].table


def test_counts_by_hand(tmp_path: Path) -> None:
    # Right samples and scores of four problems; the PRM takes the third for easy and the second for hard.
    rows = [(4, 0.9), (3, 0.2), (1, 0.8), (0, 0.1)]
    for seed in (0, 1):
        made = [
            problem(f"p{k}", [Made(int(i >= right), score, i < right) for i in range(4)], correct=False)
            for k, (right, score) in enumerate(rows)
        ]
        write(tmp_path / f"bon{seed}", made, n=4, seed=seed)
    counts = table(tmp_path, 0).set_index(["oracle", "predicted"])["count"]
    assert counts.to_dict() == {(1, 1): 2, (1, 2): 2, (2, 1): 2, (2, 2): 2}
    rho = table(tmp_path, 1).query('statistic == "Spearman\'s rho"').set_index("samples")["value"]
    assert rho.to_dict() == pytest.approx({1: 0.8, 2: 0.8, 4: 0.8})


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    for seed in (0, 1):
        write(root / f"bon{seed}", simulated(60, 32, seed), n=32, seed=seed)
    return root


def test_the_correlation_is_scipys_between_a_pool_and_the_other_seeds(runs: Path) -> None:
    records, ids = load(runs), [f"p{number:03}" for number in range(60)]
    oracle = estimates(records, ids, [0, 1], "oracle").table
    predicted = estimates(records, ids, [0, 1], "predicted", 4, own=True).table
    rhos = [
        spearmanr(
            oracle.loc[oracle["seed"] == seed, "value"], predicted.loc[predicted["seed"] == seed, "value"]
        ).statistic
        for seed in (0, 1)
    ]
    row = table(runs, 1).query('samples == 4 and statistic == "Spearman\'s rho"').iloc[0]
    assert row["value"] == pytest.approx(np.mean(rhos))
    assert row["low"] < row["value"] < row["high"]


def test_more_samples_agree_better_and_cost_more(runs: Path) -> None:
    curve = table(runs, 1)
    for _, rows in curve.groupby("statistic"):
        assert list(rows["samples"]) == [1, 2, 4, 8, 16, 32]
        assert rows["value"].iloc[-1] > rows["value"].iloc[0] + 0.1
        assert rows["tokens"].tolist() == [10.0 * m for m in rows["samples"]]
    assert (table(runs, 0)["count"]).sum() == 120


def test_the_same_pool_for_both_is_in_sample_and_agrees_more_on_noise(tmp_path: Path) -> None:
    """Problems that are all alike, and a PRM that is right: only the luck of the samples is there to agree on."""
    rng = np.random.default_rng(0)
    for seed in (0, 1):
        made = []
        for k in range(40):
            right = rng.random(8) < 0.5
            samples = [Made(int(not ok), 0.9 if ok else 0.1, bool(ok)) for ok in right]
            made.append(problem(f"p{k}", samples, correct=False))
        write(tmp_path / f"bon{seed}", made, n=8, seed=seed)
    values = {own: table(tmp_path, 1, own=own).query("samples == 8")["value"].min() for own in (False, True)}
    assert values[True] > 0.99 and abs(values[False]) < 0.3


def test_pictures(runs: Path, tmp_path: Path) -> None:
    for panel in Agreement("a", 5, 4, False, 20).panels(load(runs)):
        files = panel.save(tmp_path, ["png"])
        assert files[0].stat().st_size > 5_000


def test_too_few_problems(tmp_path: Path) -> None:
    for seed in (0, 1):
        write(tmp_path / f"bon{seed}", simulated(3, 4, seed), n=4, seed=seed)
    with pytest.raises(RecordsError, match=r"2 finished best-of-N runs with scores share 3 problems .* fewer than 4"):
        table(tmp_path, 0)
