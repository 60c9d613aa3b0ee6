"""Stopping rules against brute force, against the vote they cut short, and against what all of them promise."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import pytest
from hydra import compose, initialize_config_dir
from hypothesis import given, settings
from hypothesis import strategies as st

from ttcs.choice.selection import Majority
from ttcs.choice.selection import Weighted as WeightedVote
from ttcs.choice.stopping import beta, dirichlet
from ttcs.choice.stopping.beta import Beta
from ttcs.choice.stopping.dirichlet import Dirichlet
from ttcs.choice.stopping.never import Never
from ttcs.choice.stopping.settled import Settled
from ttcs.choice.stopping.weighted import Weighted
from ttcs.choice.stopping.weighted_beta import WeightedBeta
from ttcs.choice.stopping.window import Window
from ttcs.config.components import build
from ttcs.config.options import CONF
from ttcs.core import Candidate, Stopping

OPTIONS = sorted(file.stem for file in (CONF / "stopping").glob("*.yaml"))
answer = st.one_of(st.none(), st.integers(0, 3))
score = st.one_of(st.floats(0, 1), st.integers(0, 8).map(lambda eighths: eighths / 8), st.just(-math.inf))
pools = st.lists(st.builds(Candidate, answer, score), min_size=1, max_size=24)


def votes(*answers: int | None) -> list[Candidate]:
    return [Candidate(answer, -math.inf) for answer in answers]


def stopped(rule: Stopping, pool: Sequence[Candidate]) -> int:
    """Samples of the shortest prefix that is enough, all of them if none is."""
    return next((k for k in range(1, len(pool)) if rule(pool[:k], len(pool))), len(pool))


def chosen(selection: Majority | WeightedVote, pool: Sequence[Candidate]) -> int | None:
    index = selection(pool)
    return None if index is None else pool[index].answer


def rule(option: str) -> Stopping:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        built: Stopping = build(compose("config", [f"stopping={option}"]), "stopping")
    return built


RULES = {option: rule(option) for option in OPTIONS}
every = pytest.mark.parametrize("option", OPTIONS)


# What every rule promises


@every
@given(pool=pools)
def test_samples_without_an_answer_are_never_enough(option: str, pool: list[Candidate]) -> None:
    blank = [Candidate(None, one.score) for one in pool]
    assert not RULES[option](blank, len(blank) + 1)
    assert not RULES[option]([], len(blank))


@every
@given(pool=pools)
def test_names_of_answers_do_not_matter(option: str, pool: list[Candidate]) -> None:
    others = [Candidate(None if one.answer is None else 7 - one.answer, one.score) for one in pool]
    assert stopped(RULES[option], pool) == stopped(RULES[option], others)


@every
def test_only_the_weighted_ones_read_scores(option: str) -> None:
    assert RULES[option].reads_scores == option.startswith("weighted")


@every
def test_unanimity_is_enough_but_for_never(option: str) -> None:
    assert (stopped(RULES[option], [Candidate(0, 1.0)] * 64) < 64) == (option != "never")


# Beta and Dirichlet, exactly


def density_sum(first: int, second: int) -> Fraction:
    """P(p < 1/2) of Beta(second + 1, first + 1), its density multiplied out and integrated term by term."""
    a, b = second + 1, first + 1
    integral = sum(Fraction((-1) ** j * math.comb(b - 1, j), a + j) * Fraction(1, 2) ** (a + j) for j in range(b))
    return integral * Fraction(math.factorial(a + b - 1), math.factorial(a - 1) * math.factorial(b - 1))


@pytest.mark.parametrize(("first", "second"), [(f, s) for f in range(13) for s in range(f + 1)])
def test_beta_is_the_integral_of_the_density(first: int, second: int) -> None:
    assert beta.probability(first, second) == pytest.approx(float(density_sum(first, second)), abs=1e-15)


def test_beta_where_it_can_be_said_in_powers_of_two() -> None:
    assert [beta.probability(k, 0) for k in range(1, 6)] == [1 - 2.0 ** -(k + 1) for k in range(1, 6)]
    assert beta.probability(7, 7) == 0.5
    assert stopped(Beta(0.95), votes(*[0] * 9)) == 4
    assert stopped(Beta(1 - 2.0**-5), votes(*[0] * 9)) == 5  # more than the threshold, not as much
    assert stopped(Beta(0.95), votes(None, 0, None, 0, 0, 0, 1, 1)) == 6  # they cost and do not vote


def test_beta_for_many_votes_goes_on_where_whole_numbers_end() -> None:
    for first, second in ((520, 478), (521, 478), (520, 482), (5000, 4900)):
        whole = sum(math.comb(first + second + 1, heads) for heads in range(second + 1))
        assert beta.probability(first, second) == pytest.approx(1 - whole / (1 << (first + second + 1)), abs=1e-10)


def largest(counted: Sequence[int]) -> Fraction:
    """P(p1 is the largest) under Dirichlet(votes + 1), by inclusion and exclusion over what the others' tails are.

    With gamma variables each of the others is below x with chance 1 - exp(-x) sum_{j <= v} x^j / j!; multiplied out,
    every term is a gamma integral.
    """
    first, *others = counted
    total = Fraction(0)
    for signs in product((0, 1), repeat=len(others)):
        tails = [range(v + 1) for v, sign in zip(others, signs, strict=True) if sign]
        for powers in product(*tails):
            k = first + sum(powers)
            term = Fraction(math.factorial(k), math.factorial(first) * math.prod(map(math.factorial, powers)))
            total += (-1) ** sum(signs) * term / Fraction(1 + sum(signs)) ** (k + 1)
    return total


@pytest.mark.parametrize("counted", [(1, 0), (3, 3), (5, 2), (1, 1, 1), (4, 2, 1), (6, 6, 1), (9, 3, 2, 1), (3, 0, 0)])
def test_dirichlet_is_the_integral_multiplied_out(counted: tuple[int, ...]) -> None:
    assert dirichlet.probability(counted) == pytest.approx(float(largest(counted)), abs=1e-11)


@given(first=st.integers(0, 3000), second=st.integers(0, 3000))
@settings(max_examples=30)
def test_of_two_answers_dirichlet_is_beta(first: int, second: int) -> None:
    first, second = max(first, second), min(first, second)
    assert dirichlet.probability((first, second)) == pytest.approx(beta.probability(first, second), abs=1e-9)


def test_one_answer_alone_is_as_one_with_another_that_has_no_vote() -> None:
    assert dirichlet.probability((4,)) == dirichlet.probability((4, 0)) == pytest.approx(beta.probability(4, 0))
    assert stopped(Dirichlet(0.95), votes(*[0] * 9)) == 4


def test_dirichlet_minds_the_answers_that_beta_leaves_out() -> None:
    assert dirichlet.probability((6, 2, 2, 2, 2)) < beta.probability(6, 2)


@pytest.mark.parametrize("kind", [Beta, Dirichlet, WeightedBeta])
@given(pool=pools, thresholds=st.lists(st.floats(0.01, 1), min_size=2, max_size=4))
@settings(max_examples=40)
def test_a_higher_threshold_never_takes_fewer_samples(
    kind: type[Beta | Dirichlet | WeightedBeta], pool: list[Candidate], thresholds: list[float]
) -> None:
    costs = [stopped(kind(threshold), pool) for threshold in sorted(thresholds)]
    assert costs == sorted(costs)


# The window


@pytest.mark.parametrize(
    ("answers", "samples"),
    [
        ((0, 0, 0, 0, 1), 4),
        ((1, 0, 0, 0, 0, 0, 0, 0, 0), 8),  # windows do not overlap
        ((0, 0, 0, 1, 1, 1, 1, 1, 2), 8),
        ((0, 0, None, 0, 0, 0, 0, 0, 0), 8),  # broken by a sample without an answer
        ((None, None, None, None, 0), 5),
    ],
)
def test_windows_follow_each_other(answers: tuple[int | None, ...], samples: int) -> None:
    assert stopped(Window(4), votes(*answers)) == samples


# Settled, weighted or not


@given(pool=pools)
def test_settled_has_the_answer_of_the_full_vote(pool: list[Candidate]) -> None:
    drawn = stopped(Settled(), pool)
    assert chosen(Majority(), pool[:drawn]) == chosen(Majority(), pool)


@given(pool=st.lists(answer, min_size=1, max_size=7))
def test_settled_is_no_later_than_it_must_be(pool: list[int | None]) -> None:
    """One sample earlier, something that can come changes the answer."""
    drawn = stopped(Settled(), votes(*pool))
    if drawn > 1:
        before, left = pool[: drawn - 1], len(pool) - drawn + 1
        ends = {chosen(Majority(), votes(*before, *rest)) for rest in product((None, 0, 1, 2, 3, 4), repeat=left)}
        assert len(ends) > 1


def test_settled_keeps_ties() -> None:
    assert stopped(Settled(), votes(0, 0, 1, 1)) == 2  # the later one can only draw level
    assert stopped(Settled(), votes(0, 1, 1, 1, 0)) == 4
    assert stopped(Settled(), votes(0, 1, 1, 0)) == 4  # the earlier one may draw level, and does


@given(pool=pools)
def test_weighted_has_the_answer_of_the_full_weighted_vote(pool: list[Candidate]) -> None:
    drawn = stopped(Weighted(mean=False), pool)
    assert chosen(WeightedVote(), pool[:drawn]) == chosen(WeightedVote(), pool)


@given(pool=pools)
def test_a_bound_by_the_mean_is_never_later(pool: list[Candidate]) -> None:
    assert stopped(Weighted(mean=True), pool) <= stopped(Weighted(mean=False), pool)


def test_weights_are_those_of_the_answers_alone() -> None:
    case = [Candidate(None, 1.0), Candidate(0, 0.9), Candidate(0, -math.inf), Candidate(0, 0.8), Candidate(1, 0.3)]
    assert not Weighted(mean=False)(case, 7)  # 1.7 - 0.3 over 2 that may weigh 1 each
    assert Weighted(mean=False)(case, 6)
    assert Weighted(mean=True)(case, 8)  # 3 that weigh 0.4
    assert not Weighted(mean=True)(case, 9)


def test_with_equal_scores_of_1_weighted_stops_where_an_overtaken_vote_does() -> None:
    pool = [Candidate(answer, 1.0) for answer in (0, 1, 0, 0, 0, 1, 1)]
    assert Counter(one.answer for one in pool[: stopped(Settled(), pool)]) == {0: 4, 1: 1}
    assert stopped(Weighted(mean=False), pool) == 5


def test_never() -> None:
    assert stopped(Never(), votes(*[0] * 9)) == 9


def test_where_every_score_is_1_a_weighted_vote_stops_where_beta_does() -> None:
    pool = [Candidate(one, 1.0) for one in (0, 1, 0, 0, None, 2, 0, 0, 0, 0, 1, 0)]
    for threshold in (0.6, 0.9, 0.95):
        assert stopped(WeightedBeta(threshold), pool) == stopped(Beta(threshold), pool) < len(pool)


def test_votes_that_weigh_little_tell_little() -> None:
    assert stopped(WeightedBeta(0.95), [Candidate(0, 1.0)] * 40) == 4  # 1 - 1/32
    assert stopped(WeightedBeta(0.95), [Candidate(0, 0.25)] * 40) == 14  # 1 - 1/2^(1 + 14/4), just above 0.95
    assert stopped(WeightedBeta(0.95), votes(*[0] * 40)) == 40  # no score, no weight
