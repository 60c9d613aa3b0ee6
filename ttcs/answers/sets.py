"""Answers in brackets: ordered tuples, intervals and sets, and what unions and differences make of them."""

import re

from ttcs.answers import region
from ttcs.answers.braces import matching, split
from ttcs.answers.form import Form, Undecided
from ttcs.answers.region import Interval
from ttcs.answers.relation import Reader, listed, named
from ttcs.answers.scalar import Decider

_COMMA = re.compile(r"[,;]")
_OPERATION = re.compile(r"\\(cup|cap|setminus|backslash)(?![a-zA-Z])")
_SUCH_THAT = re.compile(r"\\mid(?![a-zA-Z])|[:|]")
_EMPTY = r"\emptyset"


def combined(text: str, decide: Decider, _: Reader) -> Form | None:
    """Unions, intersections and differences of intervals and finite sets, from left to right."""
    parts = split(text, _OPERATION)
    if len(parts) == 1:
        return Form("{}") if text == _EMPTY else None
    so_far = _intervals(parts[0], decide)
    for operation, operand in zip(parts[1::2], parts[2::2], strict=True):
        so_far = _operate(operation, so_far, _intervals(operand, decide))
    return Form(region.text(so_far))


def _operate(operation: str, a: list[Interval], b: list[Interval]) -> list[Interval]:
    if operation == "cup":
        return [*a, *b]
    return region.intersection(a, b if operation == "cap" else region.complement(b))


def _intervals(text: str, decide: Decider) -> list[Interval]:
    text = text.strip()
    if text == _EMPTY:
        return []
    opening, parts, closing = _parts(text)
    if opening in ("\\{", "{"):
        return [region.point(decide.scalar(part)) for part in parts]
    if len(parts) != 2:
        raise Undecided(f"{len(parts)} ends to an interval")
    return [_interval(opening, parts, closing, decide)]


def _parts(text: str) -> tuple[str, list[str], str]:
    if text[:1] not in ("(", "[", "{", "\\") or matching(text, 0) != len(text):
        raise Undecided("no brackets around the whole")
    width = 2 if text[0] == "\\" else 1
    return text[:width], [part.strip() for part in split(text[width:-width], _COMMA)], text[-width:]


def _interval(opening: str, ends: list[str], closing: str, decide: Decider) -> Interval:
    low, high = (decide.scalar(end) for end in ends)
    return Interval(low, high, opening == "[", closing == "]")


def bracketed(text: str, decide: Decider, read: Reader) -> Form | None:
    """A tuple, an interval or a finite set. A pair in round brackets and an open interval have the same form."""
    if text[:1] not in ("(", "[") and text[:2] != "\\{":
        return None
    if matching(text, 0) != len(text):
        return None
    opening, parts, closing = _parts(text)
    if opening == "\\{":
        described = split(text[2:-2], _SUCH_THAT)
        if len(described) == 2 and named(described[0].partition("\\in")[0]):
            return read(described[1], decide)
        return listed([part for part in parts if part], decide, read) if any(parts) else Form("{}")
    if len(parts) == 1:
        return None if "\\begin" in text else read(parts[0], decide) if opening == "[" and closing == "]" else None
    if len(parts) == 2 and {opening, closing} != {"(", ")"}:
        return Form(_interval(opening, parts, closing, decide).text)
    return Form("(" + ",".join(read(part, decide).key for part in parts) + ")")
