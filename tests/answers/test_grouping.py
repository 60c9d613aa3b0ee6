from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttcs.answers import equivalent, group
from ttcs.answers.grouping import form

ANSWERS = st.one_of(
    st.none(),
    st.integers(-3, 3).map(str),
    st.fractions(0, 2, max_denominator=3).map(str),
    st.sampled_from(
        ["", " ", "$", "0.5", r"\frac12", r"\frac{2}{4}", "x",
         "x=1", "1.0", "52_8", "52_9", "52", "y=2x", "z=2x", "2x", "(1,2)", "A",
         r"\sqrt{4}", r"\sqrt2", r"\frac{2}{\sqrt{2}}", "yes", r"\text{Yes}", "1, 2", "2,1", "}{", r"\frac{"]
    ),
    st.text(alphabet="0123x+-/^{}()\\ ,=", max_size=6),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(ANSWERS, max_size=12), st.randoms(use_true_random=False))
def test_groups_are_a_partition_in_order_of_first_sight(answers: list[str | None], random: Random) -> None:
    ids = group(answers)
    seen = [number for number in dict.fromkeys(ids) if number is not None]
    assert seen == list(range(len(seen)))
    assert all(
        number is None for answer, number in zip(answers, ids, strict=True) if answer is None or not answer.strip()
    )
    assert len({(answer, number) for answer, number in zip(answers, ids, strict=True)}) == len(set(answers))
    places = list(range(len(answers)))
    random.shuffle(places)
    assert _partition(places, group([answers[place] for place in places])) == _partition(list(range(len(answers))), ids)


def _partition(places: list[int], ids: list[int | None]) -> set[frozenset[int]]:
    return {
        frozenset(p for p, n in zip(places, ids, strict=True) if n == number)
        for number in set(ids)
        if number is not None
    }


@settings(max_examples=150, deadline=None)
@given(ANSWERS.filter(lambda answer: answer is not None), ANSWERS.filter(lambda answer: answer is not None))
def test_two_answers_share_a_group_where_they_are_equivalent(a: str, b: str) -> None:
    one, other = group([a, b])
    assert (one is not None and one == other) == equivalent(a, b) == equivalent(b, a)


def test_majority_of_many_spellings() -> None:
    assert group(["1/2", None, "3", r"\frac12", "", "0.5", "x=3", r"\sqrt{9}"]) == [0, None, 1, 0, None, 0, 1, 1]


def test_linked_by_a_third() -> None:
    assert group(["52_8", "52_9"]) == [0, 1]
    assert group(["52_8", "7", "52_9", "52"]) == [0, 1, 0, 0]


def test_every_distinct_answer_is_parsed_once() -> None:
    form.cache_clear()
    group(["11/13", "x+11", "11/13"] * 10)
    group(["x+11", "11/13"])
    assert form.cache_info().misses == 2


def test_plain_numbers_need_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(text: str) -> None:
        raise AssertionError(f"asked for {text}")

    monkeypatch.setattr("ttcs.answers.grouping._WORKER", type("Refusing", (), {"ask": staticmethod(refuse)}))
    form.cache_clear()
    answers = [
        "12",
        "-3",
        "1/2",
        r"\frac{7}{9}",
        "0.25",
        "1,234",
        r"\$5",
        "(1,2)",
        "B",
        r"\text{Evelyn}",
        "x=6",
        "[0,1)",
        "3, 4",
    ]
    assert group(list(answers)) == list(range(len(answers)))
