"""Options named by letter or by what they say."""

import pytest

from ttcs.answers import chosen

OPTIONS = ("10^-4 eV", "A cat", "$\\frac{1}{2}$", "Both of them.")


@pytest.mark.parametrize(
    ("answer", "letter"),
    [
        ("B", "B"),
        ("(c)", "C"),
        ("\\text{D}", "D"),
        ("\\text{(D)}", "D"),
        ("B.", "B"),
        ("A) 10^-4 eV", "A"),
        ("C: one half", "C"),
        ("Option D", "D"),
        ("$B$", "B"),
        ("A cat", "B"),
        ("a  cat.", "B"),
        ("both of them", "D"),
        ("0.5", "C"),
        ("\\frac12", "C"),
        ("10^{-4} eV", "A"),
        ("10^{-4}\\ \\text{eV}", "A"),
        ("10^{-4}~\\mathrm{eV}", "A"),
        ("\\textbf{(B)}\\ 12", "B"),
        ("\\text{(C)}\\quad\\frac{1}{2}", "C"),
    ],
)
def test_a_letter_or_a_text(answer: str, letter: str) -> None:
    assert chosen(answer, OPTIONS) == letter


@pytest.mark.parametrize("answer", ["E", "A dog", "17", "neither"])
def test_what_names_no_option_stays_as_it_is(answer: str) -> None:
    assert chosen(answer, OPTIONS) == answer


def test_a_text_that_two_options_have_names_neither() -> None:
    assert chosen("0.5", ("1/2", "\\frac{1}{2}")) == "0.5"


def test_a_text_that_looks_like_a_letter_with_a_text_is_that_text() -> None:
    assert chosen("C. elegans", ("C. elegans", "yeast", "a fly", "a mouse")) == "A"
    assert chosen("-c", ("-c", "c", "2c", "0")) == "A"
