import numpy as np
import pandas as pd
import pytest

from analysis.estimates.quality import accepted, auc, auc_interval, outranked, steps, within
from analysis.runs.load import load
from tests.analysis.folders import Made, problem, write


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


def test_wrong_ones_above_the_median_right_one_are_counted_over_problems_with_both_kinds():
    rows = [
        *(("a", score, True) for score in (0.2, 0.6, 0.8)),
        *(("a", score, False) for score in (0.7, 0.6, 0.1, 0.3)),  # one above 0.6, one level with it
        *(("b", 0.5, correct) for correct in (True, False)),
        ("all right", 0.1, True),
        ("all wrong", 0.9, False),
        ("a", np.nan, False),
    ]
    table = pd.DataFrame(rows, columns=["problem_id", "score", "correct"])
    assert accepted(table).mean == pytest.approx((1 + 0.5 + 0.5) / 5)
    assert np.isnan(accepted(table[table["problem_id"] == "all wrong"]).mean)


def test_within_problems_a_verifier_may_know_nothing_although_it_knows_which_are_easy():
    """Pooled it looks good; between the answers of one problem it is no better than a coin."""
    rows = [
        (f"p{problem}", group, 0.8 * easy + 0.01 * ((problem // 2 + group) % 2), group == 0)
        for problem in range(40)
        for easy in [problem % 2]
        for group in [0] * (9 if easy else 1) + [1] * (1 if easy else 9)
    ]
    table = pd.DataFrame(rows, columns=["problem_id", "group", "score", "correct"])
    assert auc_interval(table).mean > 0.85
    found = within(table)
    assert found.mean == pytest.approx(0.5) and 0.3 < found.low < found.high < 0.7


def test_an_answer_counts_once_however_often_it_was_sampled():
    answers = [(0, 0.5, True), (1, 0.2, False), (2, 0.9, False)]
    rows = [("p", group, score, right) for group, score, right in [answers[0], *[answers[1]] * 50, answers[2]]]
    table = pd.DataFrame([*rows, ("p", None, 0.99, False), ("q", 0, 0.1, True)],
                         columns=["problem_id", "group", "score", "correct"])  # fmt: skip
    assert within(table).mean == 0.5  # of two wrong answers one is above
    assert np.isnan(within(table[table["problem_id"] == "q"]).mean)


def test_wrong_siblings_above_a_right_step_are_counted():
    rows = [("p", 0, 0.7, True), ("p", 0, 0.9, False), ("p", 0, 0.1, False), ("p", 1, 0.2, True), ("p", 1, 0.2, False),
            ("q", 0, 0.3, True), ("q", 0, 0.4, False), ("q", 5, 0.9, False)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["problem_id", "parent", "score", "right"])
    assert outranked(table).mean == pytest.approx((1 + 0.5 + 1) / 4)  # the last has no sibling
    assert np.isnan(outranked(table.tail(1)).mean)


def test_steps_of_samples_are_told_apart_by_what_comes_before_and_right_where_one_ends_right(tmp_path):
    """Three samples share a first step; the second steps are siblings, and one of them was drawn twice."""
    made = [Made(0, 0.4, True), Made(1, 0.7, False), Made(1, 0.7, False)]
    row = problem("p", made, True)
    for place, text in ((1, "right"), (3, "wrong"), (5, "wrong")):
        row["tree"][place]["text"] = text
    candidates = load(write(tmp_path, [row], n=3)).candidates
    found = steps(candidates)
    assert sorted(zip(found["parent"], found["score"], found["right"], strict=True)) == [
        (-1, 0.5, True), (0, 0.4, True), (0, 0.7, False),
    ]  # fmt: skip
    assert outranked(found).mean == 1.0
