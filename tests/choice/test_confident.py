"""Selections by how sure the policy was."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttcs.choice.confident import Confident, SelfCertainty, check
from ttcs.choice.selection import Majority
from ttcs.core import Candidate, Confidence, Selection
from ttcs.errors import UserError

INF = float("inf")
ALL: list[Selection] = [Confident("mean", 1.0), Confident("least", 0.5), SelfCertainty(0.5)]
sureness = st.integers(1, 40).map(lambda eighths: Confidence(eighths / 8, eighths / 16))
candidate = st.builds(Candidate, st.none() | st.integers(0, 3), st.just(-INF), st.none(), sureness)
candidates = st.lists(candidate, max_size=12)


def pool(*pairs: tuple[int | None, float, float]) -> list[Candidate]:
    return [Candidate(answer, -INF, None, Confidence(mean, least)) for answer, mean, least in pairs]


def test_a_vote_weighted_by_confidence() -> None:
    case = pool((0, 3.0, 1.0), (0, 3.0, 1.0), (1, 7.0, 0.5), (None, 50.0, 50.0))
    assert Confident("mean", 1.0)(case) == 2
    assert Confident("least", 1.0)(case) == 0


def test_only_the_surest_vote() -> None:
    case = pool((0, 3.0, 1.0), (0, 3.0, 1.0), (0, 3.0, 1.0), (1, 4.0, 0.5))
    assert [Confident("mean", keep)(case) for keep in (0.01, 0.25, 0.5, 1.0)] == [3, 3, 3, 0]


def test_a_borda_vote_by_hand() -> None:
    """Of five the surest has 5 votes, then 4, 3, 2, 1: 0 has 5 + 1, 1 has 4 + 3, and squared 26 against 25."""
    case = pool((0, 9.0, 0.0), (1, 8.0, 0.0), (1, 7.0, 0.0), (2, 6.0, 0.0), (0, 5.0, 0.0), (None, 99.0, 0.0))
    assert SelfCertainty(1.0)(case) == 1
    assert SelfCertainty(2.0)(case) == 0


@given(candidates)
def test_without_power_it_is_the_plain_vote(case: list[Candidate]) -> None:
    assert SelfCertainty(0.0)(case) == Majority()(case)


@pytest.mark.parametrize("selection", ALL)
@given(candidates)
def test_what_has_no_answer_counts_for_nothing(selection: Selection, case: list[Candidate]) -> None:
    chosen, answered = selection(case), [c for c in case if c.answer is not None]
    assert not selection.reads_scores
    again = selection(answered)
    assert (chosen is None) == (again is None) == (not answered)
    if chosen is not None and again is not None:
        assert case[chosen] == answered[again]


@pytest.mark.parametrize("selection", ALL)
def test_what_does_not_say_how_sure_it_was_is_an_error_of_the_user(selection: Selection) -> None:
    with pytest.raises(UserError, match=r"sample with strategy\.confidence=20"):
        selection([Candidate(0, 0.5), Candidate(1, 0.5)])
    assert selection([Candidate(None, 0.5)]) is None


def test_each_measure_by_hand() -> None:
    """Each of four candidates is the surest by one of the measures."""
    rows = (9.0, 1.0, 1.0, 1.0), (1.0, 9.0, 1.0, 1.0), (1.0, 1.0, 9.0, 1.0), (1.0, 1.0, 1.0, 9.0)
    case = [Candidate(i, -INF, None, Confidence(*row)) for i, row in enumerate(rows)]
    assert [Confident(measure, 1.0)(case) for measure in ("mean", "least", "tail", "bottom")] == [0, 1, 2, 3]
    older = [Candidate(0, -INF, None, Confidence(9.0, 8.0))]
    assert Confident("least", 1.0)(older) == 0
    with pytest.raises(UserError, match=r"sample with strategy\.confidence=20 strategy\.window=64"):
        Confident("tail", 1.0)(older)


@pytest.mark.parametrize("measure", ["least", "tail", "bottom"])
def test_of_a_solution_that_is_shorter_than_a_window_the_mean_stands_for_them(measure: str) -> None:
    case = [Candidate(0, -INF, None, Confidence(9.0, 8.0, 8.0, 8.0)), Candidate(1, -INF, None, Confidence(8.5))]
    assert Confident(measure, 1.0)(case) == 1
    assert Confident("mean", 1.0)(case) == 0


@pytest.mark.parametrize(("keep", "of", "kept"), [(0.07, 100, 7), (0.29, 100, 29), (0.1, 30, 3), (0.1, 31, 4)])
def test_the_share_that_votes_is_rounded_up_but_not_for_a_floating_error(keep: float, of: int, kept: int) -> None:
    """The last one that votes can only be told by what it adds: it is the second one of its answer."""
    for place in (kept - 1, kept):
        case = pool(*((0 if i in (1, place) else i + 1, 1000.0 - i, 0.0) for i in range(of)))
        assert Confident("mean", keep)(case) == (1 if place < kept else 0)


BEST = {"_target_": "ttcs.strategies.best_of_n.BestOfN", "n": 8, "confidence": None, "window": None}


@pytest.mark.parametrize(
    ("selection", "given", "needed"),
    [
        (Confident("mean", 1.0), {}, "strategy.confidence=20"),
        (SelfCertainty(0.5), {}, "strategy.confidence=20"),
        (Confident("least", 1.0), {}, "strategy.confidence=20 strategy.window=64"),
        (Confident("tail", 1.0), {"confidence": 20}, "strategy.confidence=20 strategy.window=64"),
    ],
)
def test_what_a_strategy_does_not_ask_for_is_told_from_its_configuration(
    selection: Selection, given: dict[str, int], needed: str
) -> None:
    with pytest.raises(UserError, match=rf"solutions of BestOfN do not say: sample with {re.escape(needed)}$"):
        check(selection, BEST | given)
    check(selection, BEST | {"confidence": 20, "window": 64})
    check(Majority(), BEST | given)
    with pytest.raises(UserError, match=r"of Beam do not say: sample with strategy=best_of_n strategy.confidence=20"):
        check(selection, {"_target_": "ttcs.strategies.beam.Beam", "n": 8})
    check(selection, {"_target_": "mine.Beam", "n": 8})  # nobody knows


def test_a_measure_is_one_of_four() -> None:
    with pytest.raises(UserError, match=r"^selection.measure=median is none of mean, least, tail, bottom$"):
        Confident("median", 1.0)
