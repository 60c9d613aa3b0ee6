from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttcs.choice.selection import Best, Majority, Weighted
from ttcs.core import Candidate, Selection

ALL: list[Selection] = [Majority(), Best(), Weighted()]
# Eighths add up exactly, so that ties are ties.
score = st.one_of(st.integers(0, 8).map(lambda eighths: eighths / 8), st.just(-math.inf))
candidate = st.builds(Candidate, st.one_of(st.none(), st.integers(0, 3)), score)
candidates = st.lists(candidate, max_size=12)


def pool(*pairs: tuple[int | None, float]) -> list[Candidate]:
    return [Candidate(answer, score) for answer, score in pairs]


def eligible(case: list[Candidate]) -> list[Candidate]:
    """What a selection that reads scores chooses from: the scored answers, or the only one there is."""
    answered = [c for c in case if c.answer is not None]
    return answered if len(answered) == 1 else [c for c in answered if c.score > -math.inf]


def test_a_case_in_which_all_three_differ() -> None:
    case = pool((0, 0.1), (0, 0.2), (0, 0.1), (1, 0.9), (2, 0.6), (2, 0.5))
    assert Majority()(case) == 1
    assert Best()(case) == 3
    assert Weighted()(case) == 4


def test_only_some_read_scores() -> None:
    assert [selection.reads_scores for selection in ALL] == [False, True, True]


@pytest.mark.parametrize("selection", ALL)
def test_ties_go_to_the_first_seen(selection: Selection) -> None:
    assert selection(pool((None, 1.0), (1, 0.5), (0, 0.5), (1, 0.5), (0, 0.5))) == 1


@pytest.mark.parametrize("selection", ALL)
def test_no_answer_no_choice(selection: Selection) -> None:
    assert selection([]) is None
    assert selection(pool((None, 0.9), (None, 0.1))) is None


def test_majority_chooses_the_first_of_its_group_when_nothing_is_scored() -> None:
    assert Majority()(pool((0, -math.inf), (1, -math.inf), (1, -math.inf))) == 1


def test_unscored_candidates_add_nothing() -> None:
    case = pool((0, -math.inf), (0, -math.inf), (0, 0.3), (1, 0.4))
    assert Weighted()(case) == Best()(case) == 3


@pytest.mark.parametrize("selection", [Best(), Weighted()])
def test_scores_are_not_replaced_by_a_vote(selection: Selection) -> None:
    assert selection(pool((0, -math.inf), (0, -math.inf), (1, -math.inf))) is None
    assert selection(pool((0, -math.inf), (0, -math.inf), (1, 0.0))) == 2


@pytest.mark.parametrize("selection", ALL)
def test_a_lone_answer_needs_no_score(selection: Selection) -> None:
    assert selection(pool((0, -math.inf))) == 0
    assert selection(pool((None, 0.9), (0, -math.inf), (None, -math.inf))) == 1


@pytest.mark.parametrize("selection", ALL)
@given(case=candidates)
def test_chooses_an_answer_if_it_can(selection: Selection, case: list[Candidate]) -> None:
    chosen = selection(case)
    able = eligible(case) if selection.reads_scores else [c for c in case if c.answer is not None]
    assert (chosen is None) == (not able)
    assert chosen is None or case[chosen] in able


@given(candidates)
def test_what_each_one_maximises(case: list[Candidate]) -> None:
    answered = [c for c in case if c.answer is not None]
    scored = eligible(case)
    votes = Counter(c.answer for c in answered)
    totals = {a: sum(c.score for c in scored if c.answer == a) for a in {c.answer for c in scored}}
    if (chosen := Majority()(case)) is not None:
        assert votes[case[chosen].answer] == max(votes.values())
        assert case[chosen].score == max(c.score for c in answered if c.answer == case[chosen].answer)
    if (chosen := Best()(case)) is not None:
        assert case[chosen].score == max(c.score for c in scored)
    if (chosen := Weighted()(case)) is not None:
        assert totals[case[chosen].answer] == pytest.approx(max(totals.values()), rel=1e-9)
        assert case[chosen].score == max(c.score for c in scored if c.answer == case[chosen].answer)


@pytest.mark.parametrize("selection", ALL)
@given(case=candidates, place=st.integers(0, 12))
def test_a_candidate_without_an_answer_changes_nothing(selection: Selection, case: list[Candidate], place: int) -> None:
    place = min(place, len(case))
    longer = [*case[:place], Candidate(None, 1.0), *case[place:]]
    chosen, again = selection(case), selection(longer)
    assert (None if chosen is None else case[chosen]) == (None if again is None else longer[again])


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_weighted_with_equal_scores_is_majority(answers: list[int]) -> None:
    case = [Candidate(answer, 0.5) for answer in answers]
    assert Weighted()(case) == Majority()(case)


def test_sums_that_differ_by_rounding_alone_are_a_tie() -> None:
    case = pool((0, 0.3), (1, 0.1), (1, 0.2))
    assert 0.1 + 0.2 > 0.3
    assert Weighted()(case) == 0
    assert Weighted()(case[1:] + case[:1]) == 1  # by the better candidate of the answer seen first


@given(st.lists(st.floats(0, 1, width=16), min_size=1, max_size=12))
def test_weighted_with_distinct_answers_is_best(scores: list[float]) -> None:
    case = [Candidate(i, score) for i, score in enumerate(scores)]
    assert Weighted()(case) == Best()(case)
