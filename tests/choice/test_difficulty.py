from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttcs.choice.difficulty import Annotated, Cost, Difficulty, Oracle, Pool, Predicted, cut, quantile_bins, thresholds
from ttcs.errors import UserError
from ttcs.search.ledger import Ledger


def pool(**fields: Any) -> Pool:
    return Pool(**{"problem_id": "p", "level": None, "correct": (), "scores": ()} | fields)


def test_distinct_values_fill_the_bins_evenly() -> None:
    values = [i / 500 for i in range(500)]
    bins = quantile_bins(values, 5)
    assert Counter(bins) == dict.fromkeys(range(1, 6), 100)
    assert bins[-1] == 1 and bins[0] == 5


def test_ties_at_a_threshold_make_bins_uneven() -> None:
    # pass@1 over 16 samples can take 17 values: 500 problems tie.
    values = [(i * 7 % 17) / 16 for i in range(500)]
    bins = quantile_bins(values, 5)
    assert set(bins) == {1, 2, 3, 4, 5}
    assert len(set(Counter(bins).values())) > 1


def test_a_tie_across_a_threshold_goes_to_the_easier_bin() -> None:
    assert quantile_bins([0.0, 0.5, 0.5, 0.5, 1.0], 2) == [2, 1, 1, 1, 1]


def test_all_equal_is_one_bin() -> None:
    assert len(set(quantile_bins([0.0] * 7, 5))) == 1
    assert quantile_bins([], 5) == []


@given(st.lists(st.integers(0, 16), min_size=1, max_size=60), st.integers(1, 6))
def test_bins_are_ordered_and_equal_values_share_one(counts: list[int], n: int) -> None:
    bins = quantile_bins([count / 16 for count in counts], n)
    by_value = dict(zip(counts, bins, strict=True))
    assert [by_value[count] for count in counts] == bins
    ordered = [by_value[count] for count in sorted(by_value, reverse=True)]
    assert ordered == sorted(ordered)
    assert all(1 <= bin <= n for bin in bins)


@given(st.lists(st.floats(0, 1), min_size=5, max_size=60, unique=True), st.randoms())
def test_the_order_of_the_problems_does_not_matter(values: list[float], order: Any) -> None:
    shuffled = values[:]
    order.shuffle(shuffled)
    bins = dict(zip(values, quantile_bins(values, 5), strict=True))
    assert quantile_bins(shuffled, 5) == [bins[value] for value in shuffled]


@given(st.lists(st.floats(0, 1), min_size=10, max_size=60, unique=True))
def test_distinct_values_differ_by_at_most_one_per_bin(values: list[float]) -> None:
    counts = Counter(quantile_bins(values, 5))
    assert max(counts.values()) - min(counts[bin] for bin in range(1, 6)) <= 1


def test_oracle_is_pass_at_1() -> None:
    assert Oracle().value(pool(correct=(True, False, False, True))) == 0.5
    pools = [pool(correct=tuple(i < right for i in range(4))) for right in (4, 0, 2, 3, 1)]
    assert Oracle()(pools) == [1, 5, 3, 2, 4]


def test_predicted_is_the_mean_score() -> None:
    assert Predicted().value(pool(scores=(0.25, 0.75))) == 0.5
    assert Predicted(bins=2)([pool(scores=(0.1,)), pool(scores=(0.9, 0.8))]) == [2, 1]


@given(st.lists(st.integers(0, 16), min_size=1, max_size=60), st.integers(1, 6))
def test_the_thresholds_are_values_and_place_new_ones_as_the_old(counts: list[int], n: int) -> None:
    at = thresholds(counts, n)
    assert len(at) == n - 1 and at == sorted(at) and set(at) <= set(counts)
    assert cut(counts, at) == quantile_bins(counts, n)
    assert cut([17, -1], at) == [1, n]


def test_only_the_first_samples_count() -> None:
    assert Oracle(samples=2).value(pool(correct=(True, False, True, True))) == 0.5
    assert Predicted(samples=3).value(pool(scores=(0.2, None, 0.4, 0.9))) == pytest.approx(0.3)
    assert Oracle(bins=2, samples=1)([pool(correct=(False, True)), pool(correct=(True, False))]) == [2, 1]


def test_the_estimate_costs_what_its_samples_did() -> None:
    ledger = Ledger(decoded_tokens=800, policy_flops=4000, prm_flops=400)
    pools = [pool(correct=(True,) * 8, scores=(0.5,) * 8, ledger=ledger), pool(correct=(True,) * 8, scores=(0.5,) * 8)]
    assert Oracle().cost(pools) == Cost(400, 2000)
    assert Predicted().cost(pools) == Cost(400, 2200)
    assert Predicted(samples=2).cost(pools) == Cost(100, 550)
    assert Annotated().cost(pools) == Predicted().cost([]) == Cost(0, 0)
    assert Predicted(samples=2).cost([pool(ledger=ledger)]) == Cost(0, 0)  # a search that is no pool of samples


def test_annotated_levels_are_the_bins() -> None:
    assert Annotated()([pool(level=level) for level in (1, 1, 1, 5, 2)]) == [1, 1, 1, 5, 2]


@pytest.mark.parametrize(
    ("difficulty", "problem", "message"),
    [
        (Oracle(), pool(), "problem p has no samples"),
        (Predicted(), pool(), "problem p has no scored samples"),
        (Oracle(samples=3), pool(correct=(True, False)), "difficulty.samples=3 is not one of 1 to 2, the samples of p"),
        (Predicted(samples=0), pool(scores=(0.5,)), "difficulty.samples=0 is not one of 1 to 1"),
        (Predicted(samples=1), pool(scores=(None, 0.5)), "problem p has no scored samples"),
        (Annotated(), pool(), "the problems have no levels"),
        (Annotated(bins=3), pool(level=4), "problem p has level 4, not one of 1 to 3"),
    ],
)
def test_what_is_missing_is_said(difficulty: Difficulty, problem: Pool, message: str) -> None:
    with pytest.raises(UserError, match=message):
        difficulty([problem])


def test_a_problem_without_a_level_among_others_that_have_one() -> None:
    with pytest.raises(UserError, match="problem p has level None, not one of 1 to 5"):
        Annotated()([pool(level=1), pool()])
