"""Nesting in mathematical text: find the matching bracket, split at the top level only."""

import re
from collections.abc import Iterator

_BRACKETS = re.compile(r"\\begin\b|\\end\b|\\[{}]|\\lfloor|\\rfloor|\\lceil|\\rceil|[()\[\]{}]")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_OPENING = {"(", "[", "{", "\\{", "\\begin", "\\lfloor", "\\lceil"}


def closing(text: str, start: int) -> int | None:
    """The position of the `}` that closes the `{` at `start`; None where the text ends before it. Escaped braces are
    text.
    """
    depth = 0
    escaped = False
    for position in range(start, len(text)):
        character = text[position]
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                return position
    return None


def pairs(text: str) -> dict[int, int]:
    """The position of every `{` -> that of the `}` that closes it, as `closing` finds it, in one pass over the text."""
    found: dict[int, int] = {}
    opened: list[int] = []
    for brace in _BRACE.finditer(text):
        if brace.group() == "{":
            opened.append(brace.start())
        elif brace.group() == "}" and opened:
            found[opened.pop()] = brace.start()
    return found


def matching(text: str, start: int) -> int | None:
    """The end (exclusive) of the bracketed group that opens at `start`, whatever its bracket, so that (0, 1] is one
    group.
    """
    depth = 0
    for bracket in _BRACKETS.finditer(text, start):
        depth += 1 if bracket.group() in _OPENING else -1
        if depth <= 0:
            return bracket.end() if depth == 0 else None
    return None


def _outside(text: str) -> Iterator[tuple[int, int]]:
    """The spans of text that lie in no bracket. Unbalanced text yields no more than what comes before the fault."""
    position = 0
    while (bracket := _BRACKETS.search(text, position)) is not None:
        yield position, bracket.start()
        end = matching(text, bracket.start()) if bracket.group() in _OPENING else None
        if end is None:
            return
        position = end
    yield position, len(text)


def split(text: str, separator: re.Pattern[str]) -> list[str]:
    """Split at the separators that lie in no bracket; groups of the pattern are kept, as `re.split` keeps them."""
    parts: list[str] = []
    last = 0
    for start, end in _outside(text):
        for found in separator.finditer(text, start, end):
            parts += [text[last : found.start()], *found.groups()]
            last = found.end()
    return [*parts, text[last:]]
