"""Stages that compare rows: duplicates, and the samplings against their exact probabilities."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.curation.rows import entry, row
from ttcs.curation.duplicates import Duplicates
from ttcs.curation.full import Full
from ttcs.curation.longest import Longest
from ttcs.curation.random_rows import RandomRows
from ttcs.curation.row import Entry
from ttcs.curation.sampling import DomainSampling, long, uniform
from ttcs.errors import UserError


def kept(stage, entries):
    reasons = stage.choose(entries)
    return [e.number for e, reason in zip(entries, reasons, strict=True) if reason is None]


def test_of_duplicates_the_longest_trace_stays():
    entries = [entry(0, question="a"), entry(1, question="a", characters=20), entry(2, question="b")]
    entries += [entry(3, question="b"), entry(4, question="c")]
    assert Duplicates().choose(entries) == ["as traces/1", None, None, "as traces/2", None]


@pytest.mark.parametrize(
    ("question", "same"),
    [("what is  $5 + 3$", True), ("What is 5+3 ?!", True), ("What is 5 - 3?", False), ("What is 53?", False)],
)
def test_questions_are_the_same_by_their_spelling(question, same):
    own, other = Entry.of(0, row(question="What is 5 + 3?")), Entry.of(1, row(question=question))
    assert (own.question == other.question) == same


@pytest.mark.parametrize("n", [1, 2, 5])
def test_ranks_have_probability_proportional_to_their_power_of_two(n):
    draw, times = Random("ranks"), 40_000
    counts = Counter(long(draw, n) for _ in range(times))
    whole = sum(2.0**-r for r in range(n))
    assert set(counts) <= set(range(n))
    for rank in range(n):
        assert counts[rank] / times == pytest.approx(2.0**-rank / whole, abs=0.01)


@given(st.integers(1, 5000), st.integers())
def test_a_rank_is_one_of_those_there_are(n, seed):
    assert 0 <= long(Random(seed), n) < n


def sample(size, seed, entries, pick=long, weights=None):
    return kept(DomainSampling(size, seed, pick, weights), entries)


def test_two_draws_have_their_exact_probabilities():
    """One domain of three rows of ranks 0, 1, 2: 4/7, 2/7, 1/7; what is left is ranked anew, 2/3 and 1/3."""
    entries = [entry(i, length=10 - i) for i in range(3)]
    times = 6_000
    counts = Counter(tuple(sample(2, seed, entries)) for seed in range(times))
    expected = {(0, 1): 4 / 7 * 2 / 3 + 2 / 7 * 2 / 3, (0, 2): 4 / 7 / 3 + 1 / 7 * 2 / 3, (1, 2): 2 / 7 / 3 + 1 / 7 / 3}
    assert sum(expected.values()) == pytest.approx(1)
    for pair, probability in expected.items():
        assert counts[pair] / times == pytest.approx(probability, abs=0.02)


def test_domains_are_drawn_uniformly_whatever_their_size():
    entries = [entry(i, "large", 1) for i in range(50)] + [entry(50 + i, "small", 1) for i in range(5)]
    times = 3_000
    small = sum(sample(1, seed, entries, uniform)[0] >= 50 for seed in range(times))
    assert small / times == pytest.approx(1 / 2, abs=0.03)
    singles = Counter(sample(1, seed, entries[:4], uniform)[0] for seed in range(times))
    assert all(singles[i] / times == pytest.approx(1 / 4, abs=0.03) for i in range(4))


def test_domains_are_drawn_by_weight_and_no_other_is():
    entries = [entry(i, "abc"[i % 3], 1) for i in range(30)]
    times = 3_000
    drawn = Counter(entries[sample(1, seed, entries, uniform, {"a": 3, "b": 1})[0]].domain for seed in range(times))
    assert drawn["a"] / times == pytest.approx(3 / 4, abs=0.03)
    assert drawn["c"] == 0


def test_a_domain_that_is_used_up_is_not_drawn_again():
    entries = [entry(0, "small", 1)] + [entry(i, "large", 1) for i in range(1, 10)]
    assert sorted(sample(10, 0, entries)) == list(range(10))


ENTRIES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), min_size=1, max_size=20)


@given(ENTRIES, st.randoms(use_true_random=False), st.integers(0, 3))
def test_choices_do_not_depend_on_the_order_of_the_rows(rows, shuffle, seed):
    entries = [entry(i, domain, length) for i, (domain, length) in enumerate(rows)]
    shuffled = shuffle.sample(entries, len(entries))
    size = 1 + len(entries) // 2
    for stage in (
        DomainSampling(size, seed, long),
        DomainSampling(size, seed, uniform),
        Longest(size),
        RandomRows(size, seed),
        Full(),
        Duplicates(),
    ):
        assert sorted(kept(stage, shuffled)) == sorted(kept(stage, entries))
    assert len(kept(DomainSampling(size, seed, long), entries)) == size


def test_the_longest():
    entries = [entry(i, length=length) for i, length in enumerate([3, 9, 9, 1])]
    assert kept(Longest(2), entries) == [1, 2]
    assert Longest(3).choose(entries) == [None, None, None, "shorter"]


def test_another_seed_is_another_sample():
    entries = [entry(i, length=1) for i in range(100)]
    assert kept(RandomRows(10, 0), entries) == kept(RandomRows(10, 0), entries)
    assert kept(RandomRows(10, 0), entries) != kept(RandomRows(10, 1), entries)
    assert sample(10, 0, entries) != sample(10, 1, entries)


ONE = [entry(0, "a", 1)]


@pytest.mark.parametrize(
    ("stage", "entries", "line"),
    [
        (DomainSampling(2, 0, long), ONE, "size=2, but only 1 rows are left in 1 domains"),
        (DomainSampling(1, 0, long, {"b": 1}), ONE, "weights name b, a domain with 0 rows; there are: a 1"),
        (DomainSampling(1, 0, long, {"a": 0}), ONE, "the weight 0 of a is not a positive number"),
        (DomainSampling(1, 0, long, {"a": None}), ONE, "the weight None of a is not a positive number"),
        (DomainSampling(1, 0, long, {"a": ""}), ONE, "the weight  of a is not a positive number"),
        (DomainSampling(1, 0, long), [entry(0, None, 1)], "row traces/0 has no domain"),
        (DomainSampling(1, 0, long), [entry(0, "a")], "row traces/0 was not measured"),
        (Longest(1), [entry(0, "a")], "row traces/0 was not measured"),
        (Longest(0), ONE, "size=0 is not a positive whole number"),
        (RandomRows(2, 0), ONE, "size=2, but only 1 rows are left"),
    ],
)
def test_bad_samplings(stage, entries, line):
    with pytest.raises(UserError, match=line):
        stage.choose(entries)
