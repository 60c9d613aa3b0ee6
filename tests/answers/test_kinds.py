"""What counts as an answer, and which are the same."""

from __future__ import annotations

import pytest

from ttcs.answers.kinds import Mathematics, Text, Whole

BOXED = "So it is $\\boxed{\\frac{1}{2}}$."


def test_mathematics_is_compared_by_what_it_means() -> None:
    kind = Mathematics()
    assert kind.read(BOXED, ()) == "\\frac{1}{2}" and kind.same("\\frac{1}{2}", "0.5")
    assert kind.group(["0.5", None, "\\frac{1}{2}", "2"]) == [0, None, 0, 1]
    assert kind.read("It is \\boxed{12 m}.", ("10 m", "12 m")) == "B"


def test_text_is_compared_letter_by_letter_but_for_white_space_capitals_and_how_accents_are_made() -> None:
    kind = Text()
    assert kind.read("  The\n\n capital is  Paris. ", ()) == "The capital is Paris."
    assert kind.group(["Paris", "paris", "PARIS  ", "Paris.", None]) == [0, 0, 0, 1, None]
    assert kind.same("Caf\u00e9", "cafe\u0301") and not kind.same("0.5", "1/2")
    assert kind.read(" \n", ()) is None
    assert Text(case=True).group(["Paris", "paris"]) == [0, 1]


@pytest.mark.parametrize(
    ("solution", "found"),
    [("Hm.\nAnswer: Rome\nNo. Answer:  Paris\n", "Paris"), ("Paris", None), ("Answer: ", None)],
)
def test_text_may_stand_behind_a_mark(solution: str, found: str | None) -> None:
    assert Text(behind="Answer:").read(solution, ()) == found


def test_text_that_names_an_option_is_its_letter() -> None:
    assert Text(behind="Answer:").read("Answer: (b)", ("Rome", "Paris")) == "B"
    assert Text().read("Paris", ("Rome", "Paris")) == "B"


def test_whole_solutions_never_agree() -> None:
    kind = Whole()
    assert kind.read(" Dear Sir \n", ()) == "Dear Sir"
    assert kind.group(["a", None, "a", "b"]) == [0, None, 1, 2]
    assert not kind.graded and not kind.same("a", "a")
