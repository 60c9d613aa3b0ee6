"""What surrounds an answer in prose and is no part of it: space, emphasis, delimiters of mathematics, a full stop."""

import re
from collections.abc import Iterator

_DELIMITED = re.compile(r"\$\$(.+?)\$\$|\$((?:\\.|[^$\\])+)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
# Two words in a row, or a space on one side only: two amounts of money, and what lies between them.
_PROSE = re.compile(r"(?<![\\a-z])[a-z]{2,} +[a-z]{2,}|^\S.*\s$|^\S+[.,;] +[A-Z][a-z]", re.DOTALL)
_WORDS = re.compile(r"\\(?:text|mbox|mathrm|operatorname)[a-z]*\{[^{}]*\}")
_MARKUP = re.compile(r"</?[a-zA-Z]{1,10}/?>|`")
_OPENING, _CLOSING = {"{": "}", "(": ")", "[": "]"}, "})]"


def formulas(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and content of each formula between delimiters, from left to right; a sign of currency opens none."""
    position = 0
    while (found := _DELIMITED.search(text, position)) is not None:
        content = next(group for group in found.groups() if group is not None)
        if found[2] is not None and _PROSE.search(_WORDS.sub("", content)):
            position = found.start() + 1
        else:
            yield found.start(), found.end(), content
            position = found.end()


def tidy(answer: str) -> str | None:
    """Without what surrounds it; None where nothing is left."""
    answer = _MARKUP.sub("", answer).strip().strip("*_").strip()
    if (whole := _DELIMITED.fullmatch(answer.rstrip("."))) is not None:
        answer = next(group for group in whole.groups() if group is not None).strip()
    answer = answer[:-1] if answer.endswith((".", "。")) else answer
    return answer.strip().strip("*").strip() or None


def balanced(text: str) -> str:
    """Without the brackets at its start and end that have no partner in it, as \\textbf{Answer: B} leaves one behind.
    Any bracket may close any other, as in an interval.
    """
    text = text.lstrip("}] ") if text[:1] in "}]" else text
    while text[-1:] in tuple(_CLOSING) and _depth(text) < 0:
        text = text[:-1].rstrip(" \\")
    return text


def _depth(text: str) -> int:
    return sum(text.count(opening) for opening in _OPENING) - sum(text.count(closing) for closing in _CLOSING)
