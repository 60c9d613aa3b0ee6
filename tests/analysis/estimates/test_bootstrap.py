from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.estimates import bootstrap
from analysis.runs.load import RecordsError
from ttcs.errors import UserError
from ttcs.records.interval import interval


def frame(values: list[float], seed: int = 0, start: int = 0) -> pd.DataFrame:
    ids = [f"p{start + i}" for i in range(len(values))]
    return pd.DataFrame({"method": "m", "n": 4, "seed": seed, "problem_id": ids, "correct": values})


def test_the_interval_is_about_the_binomial_one() -> None:
    values = np.repeat([1.0, 0.0], [120, 280])
    found = interval(values)
    half = 1.96 * np.sqrt(0.3 * 0.7 / 400)
    assert found.mean == pytest.approx(0.3)
    assert (found.mean - found.low, found.high - found.mean) == pytest.approx((half, half), abs=0.006)
    assert found == interval(values)
    assert found != interval(values, seed=1)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    found = [interval((rng.random(80) < 0.4).astype(float), seed=s % 4) for s in range(200)]
    assert 0.88 <= np.mean([low <= 0.4 <= high for _, low, high in found]) <= 0.99


def test_seeds_of_a_problem_are_one_cluster() -> None:
    one = frame([1, 0, 1, 0])
    twice = pd.concat([one, one.assign(seed=1)])
    a, b = (bootstrap.accuracy(table, ["method", "n"]) for table in (one, twice))
    pd.testing.assert_frame_equal(a, b)
    assert a.iloc[0]["n_problems"] == 4


def test_a_problem_weighs_the_same_however_many_seeds_it_has() -> None:
    uneven = pd.concat([frame([1, 0]), frame([1], seed=1)])
    assert bootstrap.accuracy(uneven, ["method", "n"]).iloc[0]["accuracy"] == 0.5


def test_the_paired_difference_is_narrower_than_the_unpaired_spread() -> None:
    rng = np.random.default_rng(0)
    b = (rng.random(300) < 0.5).astype(float)
    a = np.where(rng.random(300) < 0.08, 1.0, b)
    found = bootstrap.difference(frame(list(a)), frame(list(b)))
    assert found.mean == pytest.approx(a.mean() - b.mean())
    assert 0 < found.low < found.mean < found.high
    assert found.high - found.low < 0.5 * (interval(a).high - interval(a).low) * 2


def test_the_paired_difference_is_over_the_problems_both_have() -> None:
    assert bootstrap.difference(frame([1, 1, 1]), frame([0, 0, 0], start=2)).mean == 1.0
    with pytest.raises(RecordsError, match="no problem in common"):
        bootstrap.difference(frame([1]), frame([1], start=9))


def test_one_problem_has_no_interval_and_none_no_mean() -> None:
    assert np.isnan(interval([1.0]).low)
    with pytest.raises(UserError, match="no problems"):
        interval([])
