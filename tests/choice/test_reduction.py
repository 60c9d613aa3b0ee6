from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttcs.choice import reduction
from ttcs.core import Reduction

ALL: list[Reduction] = [reduction.last, reduction.min, reduction.prod, reduction.mean]
scores = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_values() -> None:
    steps = [0.5, 0.2, 0.8]
    assert reduction.last(steps) == 0.8
    assert reduction.min(steps) == 0.2
    assert reduction.prod(steps) == pytest.approx(0.08)
    assert reduction.mean(steps) == pytest.approx(0.5)


@pytest.mark.parametrize("reduce", ALL)
def test_no_scores_are_worth_less_than_any(reduce: Reduction) -> None:
    assert reduce([]) == reduce(()) == -math.inf


@pytest.mark.parametrize("reduce", ALL)
@given(score=st.floats(0, 1))
def test_one_score_is_itself(reduce: Reduction, score: float) -> None:
    assert reduce([score]) == score


@given(scores)
def test_order_of_the_reductions(steps: list[float]) -> None:
    assert reduction.prod(steps) <= reduction.min(steps) <= reduction.mean(steps) + 1e-12
    assert reduction.mean(steps) <= max(steps) + 1e-12
    assert reduction.min(steps) <= reduction.last(steps) <= max(steps)


@pytest.mark.parametrize("reduce", ALL)
@given(steps=scores)
def test_stays_in_the_unit_interval(reduce: Reduction, steps: list[float]) -> None:
    assert 0 <= reduce(steps) <= 1


@pytest.mark.parametrize("reduce", [reduction.min, reduction.prod, reduction.mean])
@given(steps=scores)
def test_order_of_the_steps_matters_to_last_alone(reduce: Reduction, steps: list[float]) -> None:
    assert reduce(steps[::-1]) == pytest.approx(reduce(steps))


@given(scores, st.floats(0, 1))
def test_one_more_step_never_raises_min_and_prod(steps: list[float], more: float) -> None:
    assert reduction.min([*steps, more]) <= reduction.min(steps)
    assert reduction.prod([*steps, more]) <= reduction.prod(steps)
