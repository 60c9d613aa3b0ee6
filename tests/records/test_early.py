"""A stopping rule on recorded samples: costs by a clock that ticks, and orders that are always the same."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttcs.choice.selection import Majority
from ttcs.choice.stopping.beta import Beta
from ttcs.choice.stopping.never import Never
from ttcs.core import Candidate
from ttcs.records.early import Samples, clocked, course, enough, mean, orders

lengths = st.lists(st.integers(1, 6), min_size=1, max_size=9)


def made(answers: list[int | None], tokens: list[int] | None = None) -> Samples:
    seen = tuple(Candidate(answer, -math.inf) for answer in answers)
    correct = tuple(answer == 0 for answer in answers)
    return Samples("a", seen, correct, None if tokens is None else tuple(tokens))


def ticked(tokens: list[int], needed: int, ahead: int | None) -> tuple[int, int]:
    """Decodes a token of everything that runs at every tick, as an engine would."""
    decoded = [0] * len(tokens)
    for time in range(sum(tokens) + 1):
        known = next((i for i, own in enumerate(decoded) if own < tokens[i]), len(tokens))
        if known >= needed:
            return sum(decoded[needed:]), time
        reach = len(tokens) if ahead is None else min(len(tokens), known + ahead + 1)
        decoded[:reach] = [min(own + 1, whole) for own, whole in zip(decoded[:reach], tokens, strict=False)]
    raise AssertionError("it ends once all have ended")


@given(tokens=lengths, share=st.floats(0, 1), ahead=st.one_of(st.none(), st.integers(0, 9)))
def test_the_clock_is_that_of_an_engine_that_ticks(tokens: list[int], share: float, ahead: int | None) -> None:
    needed = max(1, round(share * len(tokens)))
    assert clocked(tokens, needed, ahead) == ticked(tokens, needed, ahead)


@given(tokens=lengths)
def test_running_further_ahead_is_never_slower_and_one_by_one_wastes_nothing(tokens: list[int]) -> None:
    needed = -(-len(tokens) // 2)
    times = [clocked(tokens, needed, ahead)[1] for ahead in (0, 1, 4, None)]
    assert times == sorted(times, reverse=True)
    assert clocked(tokens, needed, 0) == (0, sum(tokens[:needed]))
    assert clocked(tokens, len(tokens), None) == (0, max(tokens))


def test_a_course() -> None:
    samples = made([0, 1, 0, 0, 0, 0], [3, 5, 3, 3, 3, 4])
    found = course(samples, [1, 0, 2, 3, 4, 5], 3, 1, Majority())
    assert (found.samples, found.tokens, found.rounds, found.correct) == (3, 11, 2, 1.0)
    assert (found.latency, found.speculated) == (8, 3)  # 5 beside 3, then 3 beside 3
    whole = course(samples, [1, 0, 2, 3, 4, 5], 1, None, Majority())
    assert (whole.rounds, whole.latency, whole.correct) == (1, 5, 0.0)


def test_what_is_not_on_record_is_not_known() -> None:
    found = mean([course(made([0, 0]), [0, 1], k, 0, Majority()) for k in (1, 2)])
    assert (found.samples, found.rounds, found.correct) == (1.5, 1.5, 1.0)
    assert found.tokens is found.speculated is found.latency is None
    unknown = Samples("a", made([0]).seen, None, (4,))
    assert course(unknown, [0], 1, 0, Majority()).correct is None


def test_orders_begin_with_the_recorded_one_and_are_always_the_same() -> None:
    found = orders(8, 8, 5)
    assert found[0] == list(range(8)) and all(sorted(order) == list(range(8)) for order in found)
    assert len({tuple(order) for order in found}) == 5
    assert orders(8, 8, 5) == found == orders(8, 8, 9)[:5]
    assert orders(8, 3, 5) == [order[:3] for order in found]


def test_enough_is_the_shortest_beginning() -> None:
    seen = [Candidate(answer, -math.inf) for answer in (0, 0, 0, 0, 1, 0)]
    assert (enough(Beta(0.95), seen), enough(Beta(0.8), seen), enough(Never(), seen)) == (4, 2, 6)


@pytest.mark.parametrize("n", [1, 2])
def test_one_sample_is_all_there_is_to_draw(n: int) -> None:
    assert enough(Never(), [Candidate(0, 0.5)] * n) == n
