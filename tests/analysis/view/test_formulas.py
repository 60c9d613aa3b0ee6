"""Formulas are found where a reader sees them, and become MathML that only shows something."""

from __future__ import annotations

import re
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from analysis.view import formulas as module
from analysis.view.__main__ import view
from analysis.view.formulas import FORMULA, Formulas
from tests.analysis.view.runs import GOLDEN, copied
from tests.analysis.view.test_view import Elements

FRACTION = r"$\frac{1}{2} < x_1^2$"


def found(text: str) -> list[str]:
    return [match[0] for match in re.finditer(FORMULA, text, re.DOTALL)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("so $x+1$ and $y$.", ["$x+1$", "$y$"]),
        ("$$\n\\sum_i i\n$$ done", ["$$\n\\sum_i i\n$$"]),
        (r"\(a\) and \[b\]", [r"\(a\)", r"\[b\]"]),
        ("It costs $5 and then $7.", []),
        ("$5 and $7 are $12$ together", ["$12$"]),
        (r"\$5 and $x$", ["$x$"]),
        (r"$5\$$ each", [r"$5\$$"]),
        ("a $ b $ c", []),
        ("$x$1", []),
        ("no formula", []),
    ],
)
def test_what_is_a_formula(text: str, expected: list[str]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize("text", [r"\[" * 10_000, r"\(" * 10_000, "$a" * 10_000, "$" * 10_000, "$\\" * 10_000])
def test_no_text_makes_the_search_slow(text: str) -> None:
    began = perf_counter()
    found(text)
    assert perf_counter() - began < 10


def test_a_formula_becomes_elements() -> None:
    pytest.importorskip("latex2mathml")
    trees = Formulas().within([f"so {FRACTION}", "$$y$$"])
    assert set(trees) == {FRACTION, "$$y$$"}
    tags, texts = parts(trees[FRACTION])
    assert {"math", "mfrac", "msubsup", "mi", "mn", "mo"} <= tags and {"1", "2", "<", "x"} <= texts
    assert (trees[FRACTION][1]["display"], trees["$$y$$"][1]["display"]) == ("inline", "block")


def parts(tree: list[Any]) -> tuple[set[str], set[str]]:
    """Tags and texts."""
    tag, _, *children = tree
    below = [parts(child) for child in children if isinstance(child, list)]
    tags, texts = {tag}, {child for child in children if isinstance(child, str)}
    return tags.union(*(own for own, _ in below)), texts.union(*(own for _, own in below))


def test_an_answer_is_a_formula_without_dollars() -> None:
    pytest.importorskip("latex2mathml")
    assert set(Formulas().alone([r"\frac{1}{2}", "x^2", "12", "north", "\\" * 500])) == {r"\frac{1}{2}", "x^2"}


@pytest.mark.parametrize("broken", [r"$\frac{1$", "$}{$", r"$\begin{array}{c} 1$", r"$\sqrt[3$", r"$\left( x$"])
def test_what_is_no_latex_stays_text(broken: str) -> None:
    pytest.importorskip("latex2mathml")
    assert set(Formulas().within([broken, "$x$"])) == {"$x$"}


def test_an_element_that_does_something_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from xml.etree.ElementTree import fromstring

    pytest.importorskip("latex2mathml")
    monkeypatch.setattr(
        "latex2mathml.converter.convert_to_element",
        lambda latex, display: fromstring(f'<math href="javascript:0" display="{display}">{latex}</math>'),
    )
    module._converted.cache_clear()
    made = Formulas().within(["$<mi style='x' onclick='x' mathvariant='bold'>x</mi>$", "$<a>x</a>$", "$<maction/>$"])
    module._converted.cache_clear()
    assert list(made.values()) == [["math", {"display": "inline"}, ["mi", {"mathvariant": "bold"}, "x"]]]


def test_without_the_library_and_beyond_the_limit_all_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("latex2mathml")
    with monkeypatch.context() as patched:
        patched.setattr(module, "find_spec", lambda name: None)
        assert Formulas().within(["$x$"]) == {} and not Formulas().full
    monkeypatch.setattr(module, "MOST", 2)
    few = Formulas()
    assert set(few.within(["$x$ $y$ $x$ $z$"])) == {"$x$", "$y$"} and few.full


def test_the_page_is_given_them_with_each_search(tmp_path: Path) -> None:
    pytest.importorskip("latex2mathml")

    def change(rows: list[dict[str, Any]]) -> None:
        rows[0]["tree"][0]["text"] = f"So {FRACTION}.\n\n"

    page = Elements(view([copied(tmp_path / "run", change)], tmp_path / "x.html").read_text(encoding="utf-8"))
    assert page.search("c0-0")["formulas"][FRACTION][0] == "math" and "formulas" not in page.search("c0-1")
    assert page.index["formula"] == FORMULA
    plain = Elements(view([GOLDEN / "run"], tmp_path / "y.html").read_text(encoding="utf-8"))
    assert plain.scripts["main"] == page.scripts["main"] and plain.policy == page.policy
