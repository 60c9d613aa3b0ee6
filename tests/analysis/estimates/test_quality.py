import numpy as np
import pandas as pd
import pytest

from analysis.estimates.quality import auc, auc_interval


def test_auc_counts_pairs_and_halves_ties():
    scores, correct = np.array([0.1, 0.4, 0.4, 0.9]), np.array([0.0, 1.0, 0.0, 1.0])
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[correct == 1] for b in scores[correct == 0]]
    assert auc(scores, correct, np.ones(4)) == pytest.approx(np.mean(pairs))


def test_weights_are_repetitions():
    rng = np.random.default_rng(0)
    scores, correct, weights = rng.random(50).round(1), rng.integers(2, size=50).astype(float), rng.integers(4, size=50)
    repeated = np.repeat(scores, weights), np.repeat(correct, weights)
    assert auc(scores, correct, weights.astype(float)) == pytest.approx(auc(*repeated, np.ones(weights.sum())))


def test_without_both_kinds_there_is_no_auc():
    assert np.isnan(auc(np.array([0.1, 0.2]), np.ones(2), np.ones(2)))


def test_interval_holds_the_estimate_and_leaves_the_unscored_out():
    rng = np.random.default_rng(1)
    correct = rng.integers(2, size=400).astype(bool)
    table = pd.DataFrame(
        {"problem_id": np.arange(400) // 8, "correct": correct, "score": correct + rng.normal(size=400)}
    )
    table.loc[0, "score"] = np.nan
    found = auc_interval(table)
    assert found.low < found.mean < found.high
    assert 0.6 < found.mean < 0.9
