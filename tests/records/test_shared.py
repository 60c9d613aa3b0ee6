"""A budget for a whole problem set: what it spends, where, and against what."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttcs.choice.selection import Majority
from ttcs.choice.sharing import Draw, Sharing, unsettled
from ttcs.core import Candidate
from ttcs.errors import UserError
from ttcs.records.early import Samples
from ttcs.records.shared import Asked, Shared, check, graded, shares

SHARING = Sharing(None, 2, 0.25)
answers = st.lists(st.one_of(st.none(), st.integers(0, 2)), min_size=8, max_size=8)
pools = st.lists(st.tuples(answers, st.integers(1, 5)), min_size=1, max_size=9)


def made(id: str, own: list[int | None], tokens: int | None = 1, graded: bool = True) -> Samples:
    seen = tuple(Candidate(answer, -math.inf) for answer in own)
    correct = tuple(answer == 0 for answer in own) if graded else None
    return Samples(id, seen, correct, None if tokens is None else (tokens,) * len(own))


def problems(drawn: list[tuple[list[int | None], int]]) -> list[Samples]:
    return [made(str(i), own, tokens) for i, (own, tokens) in enumerate(drawn)]


def test_samples_go_where_the_vote_is_least_settled() -> None:
    sure, close, none = ([Candidate(a, -math.inf) for a in own] for own in ([0, 0, 0], [0, 1], [None, None]))
    assert unsettled(sure) == 1 / 16 and unsettled(close) == unsettled(none) == unsettled([]) == 0.5
    assert Sharing(None, 1, 0.5).round([sure, close, none, []], 8) == [3, 1]  # of equals the one with fewer samples
    assert Sharing(None, 1, 1.0).round([sure, close, none, []], 3) == [3, 1, 2]  # the first one has all that there are
    assert Sharing(None, 1, 0.1).round([sure, sure], 8) == [0]
    assert len(Sharing(None, 1, 0.29).round([[]] * 100, 8)) == 29  # though 0.29 * 100 is 28.999999999999996
    assert Sharing(None, 1, 1.0).round([sure], 3) == []


@given(drawn=pools, n=st.integers(2, 7), block=st.integers(1, 3), part=st.floats(0.01, 1))
def test_it_spends_what_there_is_and_no_more(
    drawn: list[tuple[list[int | None], int]], n: int, block: int, part: float
) -> None:
    found = shares(problems(drawn), range(8), n, Sharing(None, block, part))
    costs = [tokens for _, tokens in drawn]
    whole = sum(k * cost for k, cost in zip(found.samples, costs, strict=True))
    assert found.tokens == found.equal_tokens == n * sum(costs)
    assert 0 <= found.tokens - whole < max(costs)  # of the sample in which the tokens ran out
    assert max(found.samples) <= 8


def test_the_last_sample_is_cut_off_where_the_tokens_run_out() -> None:
    pool = [made("a", [0] * 8, 5), made("b", [0] * 8, 5)]
    for tokens, samples, rounds in ((9, (1, 0), 1), (10, (2, 0), 1), (11, (2, 0), 2), (20, (2, 2), 2), (4, (0, 0), 1)):
        found = shares(pool, range(8), 4, Sharing(tokens, 2, 0.5))
        assert (found.samples, found.tokens, found.rounds) == (samples, tokens, rounds)


def test_a_round_is_drawn_in_the_order_of_the_problems_and_their_samples() -> None:
    asked: list[list[Draw]] = []

    def draw(wanted: Sequence[Draw]) -> list[Candidate]:
        asked.append(list(wanted))
        return [Candidate(0, -math.inf)] * min(len(wanted), 10 - sum(map(len, asked[:-1])))

    assert Sharing(None, 2, 0.5).share_out(4, 5, draw) == 3
    assert asked == [[(0, 0), (0, 1), (1, 0), (1, 1)], [(2, 0), (2, 1), (3, 0), (3, 1)],
                     [(0, 2), (0, 3), (1, 2), (1, 3)]]  # fmt: skip


@given(drawn=pools)
def test_with_tokens_for_all_of_it_everything_is_drawn(drawn: list[tuple[list[int | None], int]]) -> None:
    rich = shares(problems(drawn), range(8), 4, Sharing(10**6, 2, 1.0))
    assert rich.samples == (8,) * len(drawn) and rich.rounds == 4


def test_a_hard_problem_gets_what_easy_ones_do_not_need() -> None:
    pool = [made(str(i), [0] * 8) for i in range(3)] + [made("hard", [1, 0, 1, 0, 0, 0, 0, 0])]
    found = shares(pool, range(8), 4, SHARING)
    assert found.samples == (4, 2, 2, 8)
    correct = graded(pool, [range(8)], [found], Majority())
    assert correct == [(1.0, 1.0)] * 3 + [(1.0, 0.0)]  # by four samples it is a tie that the wrong answer wins
    asked = Asked(4, "majority", "last", 1, None, 2, 0.25, "run")
    total = Shared.of(pool, [found], correct, asked)
    assert (total.accuracy, total.equal_accuracy, total.difference) == (1.0, 0.75, 0.25)
    assert (total.spent, total.equal_spent, total.most) == (4.0, 4.0, 8.0)


def test_without_tokens_samples_are_counted_and_without_references_nothing_is_graded() -> None:
    pool = [made("a", [0] * 8, None, False), made("b", [0, 1] * 4, None, False)]
    found = shares(pool, range(8), 4, SHARING)
    assert found.equal_tokens == 8 and sum(found.samples) == 8
    total = Shared.of(pool, [found], graded(pool, [range(8)], [found], Majority()), Asked(4, "", "", 1, None, 2, 1, ""))
    assert total.accuracy is total.difference is total.difference_ci95 is None and total.n_graded == 0


def test_what_cannot_be_shared() -> None:
    with pytest.raises(UserError, match=r"^n=8 is all of the 8 samples of each problem: a shared budget needs"):
        check(8, 8, SHARING)
    with pytest.raises(UserError, match=r"^budget.block=2 is more than n=1: there would be problems without"):
        check(1, 8, SHARING)
