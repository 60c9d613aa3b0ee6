"""The formulas of texts as MathML, which browsers typeset by themselves: nothing is loaded for it.

latex2mathml turns LaTeX into it, where it is installed (`pip install 'ttcs[view]'`). What it cannot read stays text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from html import unescape
from importlib.util import find_spec
from typing import Any

Tree = list[Any]  # [tag, attributes, *children], where a child is a text or a tree

# $$...$$, $...$, \[...\] and \(...\), as the script of the page finds them too. A dollar before a blank, behind one or
# before a digit is money. What is longer is no formula: so no text makes the search slow.
FORMULA = (
    r"\$\$[^$]{1,400}\$\$|(?<![\\$])\$(?!\s)(?:[^$\\]|\\.){1,400}?(?<!\s)\$(?![\d$])"
    r"|\\\[.{1,400}?\\\]|\\\(.{1,400}?\\\)"
)
LONGEST = 400  # characters of an answer that is taken for a formula
MOST = 20_000  # different formulas of a page: one takes up to a millisecond
PARTS = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}
ELEMENTS = frozenset(
    {
        *("math", "mrow", "mi", "mn", "mo", "ms", "mtext", "mspace", "mstyle", "mpadded", "mphantom", "menclose"),
        *("mfrac", "msqrt", "mroot", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts"),
        *("mprescripts", "none", "mtable", "mtr", "mtd"),
    }
)
ATTRIBUTES = frozenset(
    {
        *("display", "displaystyle", "scriptlevel", "mathvariant", "accent", "accentunder", "fence", "form", "largeop"),
        *("lspace", "rspace", "maxsize", "minsize", "movablelimits", "separator", "stretchy", "symmetric", "width"),
        *("height", "depth", "voffset", "linethickness", "notation", "columnalign", "columnlines", "columnspacing"),
        *("columnspan", "rowlines", "rowspacing", "rowspan"),
    }
)
_FOUND = re.compile(FORMULA, re.DOTALL)


class Formulas:
    """Of one page, each converted once."""

    def __init__(self) -> None:
        self._convert = converter()
        self._trees: dict[str, Tree | None] = {}

    @property
    def full(self) -> bool:
        """Whether there are more formulas than are converted."""
        return len(self._trees) >= MOST

    def within(self, texts: Iterable[str]) -> dict[str, Tree]:
        """Those of texts, each as it stands there: `$x^2$` -> its tree."""
        return self._known(match[0] for text in texts for match in _FOUND.finditer(text))

    def alone(self, answers: Iterable[str]) -> dict[str, Tree]:
        """Answers that are formulas without dollars around them, such as `\\frac{1}{2}`."""
        return self._known(one for one in answers if re.search(r"[\\^]", one) and len(one) <= LONGEST)

    def _known(self, formulas: Iterable[str]) -> dict[str, Tree]:
        if self._convert is None:
            return {}
        found: dict[str, Tree] = {}
        for formula in formulas:
            if formula not in self._trees and not self.full:
                self._trees[formula] = self._convert(formula)
            if (tree := self._trees.get(formula)) is not None:
                found[formula] = tree
        return found


def converter() -> Callable[[str], Tree | None] | None:
    """None: latex2mathml is not installed."""
    return _converted if find_spec("latex2mathml") else None


@lru_cache(MOST)  # the service draws its page again and again
def _converted(formula: str) -> Tree | None:
    from latex2mathml.converter import convert_to_element

    display = "block" if formula.startswith(("$$", r"\[")) else "inline"
    try:
        return _tree(convert_to_element(_bare(formula), display=display))
    except Exception:  # models write LaTeX that is none, and the library fails at it in many ways
        return None


def _bare(formula: str) -> str:
    for begin, end in (("$$", "$$"), ("$", "$"), (r"\[", r"\]"), (r"\(", r"\)")):
        if formula.startswith(begin) and formula.endswith(end) and len(formula) > len(begin + end):
            return formula[len(begin) : -len(end)]
    return formula


def _tree(element: Any) -> Tree:
    """ValueError for an element that is none of those that only show something, or lacks a part."""
    if element.tag not in ELEMENTS or len(element) != PARTS.get(element.tag, len(element)):
        raise ValueError(element.tag)
    attributes = {name: value for name, value in element.attrib.items() if name in ATTRIBUTES}
    text = [unescape(element.text)] if element.text else []
    return [element.tag, attributes, *text, *map(_tree, element)]
