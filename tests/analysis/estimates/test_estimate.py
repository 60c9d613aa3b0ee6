"""Estimators against hand cases and against brute force over all subsets."""

from __future__ import annotations

from itertools import combinations, pairwise
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.estimates import estimate
from analysis.estimates.pool import Pool
from analysis.runs.load import RecordsError, load
from tests.analysis.folders import Made, problem, simulated, write
from ttcs.choice.selection import Best, Majority, Weighted
from ttcs.core import Candidate
from ttcs.records.subsets import subsets, top_weights

Row = tuple[int | None, float, bool, int]  # group, score, correct, unit


def pool(rows: list[Row], units: int | None = None) -> Pool:
    groups, scores, corrects, unit = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Pool(
        units=units or (max(unit) + 1 if unit else 1),
        unit=np.array(unit, dtype=np.int64),
        group=np.array([group or 0 for group in groups], dtype=np.int64),
        votes=np.array([group is not None for group in groups], dtype=np.bool_),
        score=np.array(scores, dtype=np.float64),
        correct=np.array(corrects, dtype=np.bool_),
    )


def samples(*rows: tuple[int | None, float, bool]) -> Pool:
    return pool([(*row, index) for index, row in enumerate(rows)])


def decide(rows: list[Row], kind: str) -> bool:
    """The selection as one would write it down, for one subset in the order of the pool."""
    answered = [row for row in rows if row[0] is not None]
    if kind == "pass":
        return any(row[2] for row in answered)
    if not answered:
        return False
    if kind == "best":
        return max(answered, key=lambda row: row[1])[2]
    totals: dict[int | None, float] = {}
    for group, score, _, _ in answered:
        totals[group] = totals.get(group, 0.0) + (score if kind == "weighted" else 1.0)
    winner = max(totals, key=lambda group: totals[group])
    return next(row[2] for row in answered if row[0] == winner)


def brute(rows: list[Row], units: int, k: int, kind: str) -> float:
    return float(np.mean([decide([r for r in rows if r[3] in kept], kind) for kept in combinations(range(units), k)]))


def estimated(pool: Pool, k: int, kind: str, resamples: int = 10**6) -> float:
    return estimate.estimated(kind, pool, k, subsets(pool.units, k, resamples, 0))


rows_of_units = st.integers(1, 3).flatmap(
    lambda width: st.lists(
        st.tuples(st.one_of(st.none(), st.integers(0, 3)), st.sampled_from([0.1, 0.25, 0.5, 0.5, 0.9])),
        min_size=width, max_size=6 * width,
    ).map(lambda drawn: [(g, s, g == 0, i // width) for i, (g, s) in enumerate(drawn)])
)  # fmt: skip


@given(rows_of_units, st.sampled_from(estimate.SELECTIONS), st.data())
@settings(max_examples=150, deadline=None)
def test_equal_to_brute_force_over_all_subsets(rows: list[Row], kind: str, data: st.DataObject) -> None:
    units = rows[-1][3] + 1
    k = data.draw(st.integers(1, units))
    assert estimated(pool(rows), k, kind) == pytest.approx(brute(rows, units, k, kind), abs=1e-12)


@given(rows_of_units, st.sampled_from(estimate.SELECTIONS))
@settings(max_examples=80, deadline=None)
def test_the_whole_pool_is_its_own_decision(rows: list[Row], kind: str) -> None:
    units = rows[-1][3] + 1
    assert estimated(pool(rows), units, kind, resamples=1) == pytest.approx(float(decide(rows, kind)), abs=1e-12)


def test_majority_best_and_weighted_all_differ() -> None:
    # Group 0 has the most members, group 1 the best score, group 2 the largest sum.
    layout = [(0, 0.1), (0, 0.1), (0, 0.1), (1, 0.9), (2, 0.6), (2, 0.5)]
    for right, winner in enumerate(("majority", "best", "weighted")):
        made = samples(*((group, score, group == right) for group, score in layout))
        assert [kind for kind in ("majority", "best", "weighted") if estimated(made, 6, kind) == 1.0] == [winner]


def test_ties_go_to_the_answer_seen_first() -> None:
    made = samples((1, 0.5, True), (0, 0.5, False))
    assert [estimated(made, 2, kind) for kind in ("majority", "best", "weighted")] == [1.0, 1.0, 1.0]


def test_a_tie_goes_to_the_answer_seen_first_in_the_subset() -> None:
    made = samples((0, 0.5, True), (1, 0.5, False), (0, 0.5, True))
    # Of the pairs (0, 1), (0, 2), (1, 2) only the last begins with the wrong answer.
    assert estimated(made, 2, "majority") == pytest.approx(2 / 3)


def test_sums_that_differ_by_rounding_alone_are_a_tie() -> None:
    made = samples((0, 0.3, True), (1, 0.1, False), (1, 0.2, False))
    assert 0.1 + 0.2 > 0.3
    assert estimated(made, 3, "weighted") == 1.0
    chosen = Weighted()([Candidate(0, 0.3), Candidate(1, 0.1), Candidate(1, 0.2)])  # what a run decides
    assert chosen == 0


def test_no_answer_never_wins_however_well_scored() -> None:
    made = samples((None, 0.99, False), (0, 0.01, True))
    assert [estimated(made, 2, kind) for kind in estimate.SELECTIONS] == [1.0] * 4
    assert [estimated(made, 1, kind) for kind in estimate.SELECTIONS] == [0.5] * 4  # and a subset without one is wrong


def test_an_answer_without_a_score_votes_but_is_not_best() -> None:
    made = samples((0, -np.inf, True), (0, -np.inf, True), (1, 0.2, False))
    assert estimated(made, 3, "majority") == 1.0
    assert estimated(made, 3, "best") == estimated(made, 3, "weighted") == 0.0


def test_a_lone_answer_needs_no_score() -> None:
    made = samples((None, -np.inf, False), (0, -np.inf, True), (None, 0.9, False), (None, -np.inf, False))
    assert [estimated(made, 4, kind) for kind in estimate.SELECTIONS] == [1.0] * 4
    assert [estimated(made, 2, kind) for kind in estimate.SELECTIONS] == [0.5] * 4


def test_a_pool_without_candidates_is_wrong() -> None:
    assert [estimated(pool([], units=4), 2, kind) for kind in estimate.SELECTIONS] == [0.0] * 4


@pytest.mark.parametrize(("n", "c", "k"), [(4, 2, 2), (10, 3, 5), (10, 0, 3), (10, 10, 1), (10, 8, 3), (1024, 3, 100)])
def test_pass_at_k_is_the_formula(n: int, c: int, k: int) -> None:
    assert estimate.pass_at_k(n, c, k) == pytest.approx(1 - comb(n - c, k) / comb(n, k), abs=1e-12)


@given(st.integers(1, 300), st.data())
@settings(max_examples=60, deadline=None)
def test_pass_at_k_is_monotone_in_k_and_the_mean_at_1(n: int, data: st.DataObject) -> None:
    c = data.draw(st.integers(0, n))
    values = [estimate.pass_at_k(n, c, k) for k in range(1, n + 1)]
    assert values[0] == pytest.approx(c / n)
    assert values[-1] == (1.0 if c else 0.0)
    assert all(b >= a - 1e-12 for a, b in pairwise(values))


@pytest.mark.parametrize("k", [1, 2, 17, 255, 256])
def test_rank_weights_are_a_distribution(k: int) -> None:
    weights = top_weights(256, k)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    assert weights[3] == pytest.approx(comb(252, k - 1) / comb(256, k), rel=1e-9)


def test_monte_carlo_is_near_brute_force_and_seeded() -> None:
    rng = np.random.default_rng(0)
    rows = [
        (int(g), float(s), bool(g == 0), i)
        for i, (g, s) in enumerate(zip(rng.integers(4, size=14), rng.random(14), strict=True))
    ]
    for kind in ("majority", "weighted"):
        drawn = estimated(pool(rows), 5, kind, resamples=1500)
        assert drawn == estimated(pool(rows), 5, kind, resamples=1500)
        assert drawn == pytest.approx(brute(rows, 14, 5, kind), abs=0.04)


def test_subsets_are_exhaustive_when_few_and_without_replacement_when_many() -> None:
    assert len(subsets(6, 3, 400, 0)) == comb(6, 3)
    assert len(subsets(1000, 1, 400, 0)) == 1000
    many = subsets(64, 16, 400, 0)
    assert many.shape == (400, 16)
    assert (np.diff(many, axis=1) > 0).all()
    assert np.bincount(many.ravel(), minlength=64).std() < 3 * np.sqrt(400 * 0.25 * 0.75)


def test_best_of_n_curve(tmp_path: Path) -> None:
    run = load(write(tmp_path, simulated(6, 8), n=8))
    table = estimate.curve(run)
    assert sorted(table["n"].unique()) == [1, 2, 4, 8]
    at_one = table[table["n"] == 1].pivot(index="problem_id", columns="selection", values="correct")
    assert np.allclose(at_one.sub(at_one["pass"], axis=0), 0)
    whole = table[(table["n"] == 8) & (table["selection"] == "weighted")].set_index("problem_id")["correct"]
    recorded = run.problems.set_index("problem_id")["correct"].astype("float64")
    pd.testing.assert_series_equal(whole, recorded, check_names=False, check_index_type=False)


def test_dvts_takes_whole_subtrees(tmp_path: Path) -> None:
    # Two subtrees of two: one all right, one with a wrong answer scored highest and an unfinished sibling.
    made = [Made(0, 0.6, True, 0), Made(0, 0.5, True, 0), Made(1, 0.9, False, 1), Made(None, None, False, 1)]
    run = load(write(tmp_path, [problem("a", made, True)], strategy="dvts", n=4, width=2))
    table = estimate.curve(run).set_index(["selection", "n"])["correct"]
    assert sorted({n for _, n in table.index}) == [2, 4]
    assert table["best", 2] == table["majority", 2] == table["weighted", 2] == table["pass", 2] == 0.5
    assert table["majority", 4] == table["weighted", 4] == table["pass", 4] == 1.0
    assert table["best", 4] == 0.0
    with pytest.raises(RecordsError, match="n=3 is not a multiple of width=2"):
        estimate.curve(run, at=[3])


def test_the_width_of_subtrees_is_read_off_the_records_where_no_configuration_says(tmp_path: Path) -> None:
    folder = write(tmp_path, simulated(3, 8, width=4), strategy="dvts", n=8)
    assert sorted(estimate.curve(load(folder))["n"].unique()) == [4, 8]


def test_a_beam_run_cannot_be_sliced(tmp_path: Path) -> None:
    run = load(write(tmp_path, simulated(3, 8), strategy="beam_search", n=8, width=4))
    assert list(estimate.curve(run)["n"].unique()) == [8]
    with pytest.raises(RecordsError, match="n=8 that is one whole says nothing about n=4"):
        estimate.curve(run, at=[4])


def test_without_scores_there_is_no_best(tmp_path: Path) -> None:
    run = load(write(tmp_path, [problem("a", [Made(0, None, True)] * 4, True)], n=4, selection="majority"))
    assert set(estimate.curve(run)["selection"]) == {"majority", "pass"}


def test_missing_candidates_count_towards_n(tmp_path: Path) -> None:
    run = load(write(tmp_path, [problem("a", [Made(0, 0.5, True)], True), problem("b", [], False)], n=4))
    table = estimate.curve(run, at=[1, 4]).set_index(["problem_id", "selection", "n"])["correct"]
    assert table["a", "best", 1] == table["a", "majority", 1] == 0.25
    assert table["a", "weighted", 4] == 1.0
    assert table["b", "pass", 4] == 0.0


def test_more_candidates_than_n_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="problem p000 has 8 candidates, more than n=4"):
        estimate.curve(load(write(tmp_path, simulated(1, 8), n=4)))


def test_a_whole_curve_of_a_large_pool_takes_seconds(tmp_path: Path) -> None:
    from time import process_time

    run = load(write(tmp_path, simulated(20, 256), n=256))
    start = process_time()
    assert len(estimate.curve(run)) == 20 * 9 * 4
    assert process_time() - start < 2  # 500 problems: 25 times as long


@given(rows_of_units, st.sampled_from(["majority", "best", "weighted"]))
@settings(max_examples=80, deadline=None)
def test_the_whole_pool_is_decided_as_by_the_selections_of_a_run(rows: list[Row], kind: str) -> None:
    chosen = {"majority": Majority(), "best": Best(), "weighted": Weighted()}[kind](
        [Candidate(group, score) for group, score, _, _ in rows]
    )
    expected = chosen is not None and rows[chosen][2]
    assert estimated(pool(rows), rows[-1][3] + 1, kind) == pytest.approx(float(expected), abs=1e-12)
