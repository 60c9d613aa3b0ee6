"""Answers to multiple choice: an option may be named by its letter, or by what it says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from string import ascii_uppercase

from ttcs.answers.grouping import equivalent

_WRAPPED = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}")
_SPACE = re.compile(r"~|\\[ ,;:!]|\\q?quad(?![A-Za-z])")
_LETTER = re.compile(r"(?:option|choice)?\s*\(?([A-Za-z])\)?[.:]?", re.IGNORECASE)
_LETTER_AND_TEXT = re.compile(r"(?:option|choice)?\s*\(?([A-Za-z])(?:\)|[.:])\)?\s+\S.*", re.DOTALL | re.IGNORECASE)


def chosen(answer: str, options: Sequence[str]) -> str:
    """The letter of the option that an answer names ("B", "(B)", "B. 12 m", "12 m"), or what it is if it names none.

    A letter alone goes before a text, and a text before a letter with a text. A text has to be that of one option
    alone: as written, or as mathematics.
    """
    plain = _SPACE.sub(" ", _WRAPPED.sub(r"\1", answer)).strip().strip("$").strip()
    letters = ascii_uppercase[: len(options)]
    if (named := _LETTER.fullmatch(plain)) and named[1].upper() in letters:
        return named[1].upper()
    texts = [_folded(option) for option in options]
    if texts.count(_folded(plain)) == 1:
        return letters[texts.index(_folded(plain))]
    if (named := _LETTER_AND_TEXT.fullmatch(plain)) and named[1].upper() in letters:
        return named[1].upper()
    equal = [place for place, option in enumerate(options) if equivalent(answer, option)]
    return letters[equal[0]] if len(equal) == 1 else answer


def _folded(text: str) -> str:
    plain = _SPACE.sub(" ", _WRAPPED.sub(r"\1", text))
    return " ".join(re.sub(r"[${}]", "", plain).casefold().strip(" .").split())
