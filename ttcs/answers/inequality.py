"""Inequalities, as the sets of numbers that solve them where that can be told."""

import re

from ttcs.answers import region
from ttcs.answers.braces import split
from ttcs.answers.form import Form, Undecided
from ttcs.answers.region import MINUS, PLUS, Interval
from ttcs.answers.relation import Reader, free, named
from ttcs.answers.scalar import Decider

_ORDER = re.compile("([<>≤≥≠])")
_JOINED = re.compile(r"\\(lor|land)(?![a-zA-Z])")
_REVERSED = {">": "<", "≥": "≤"}


def ordered(text: str, decide: Decider, read: Reader) -> Form | None:
    parts = split(text, _JOINED)
    terms, signs = _chain(parts[0])
    if not signs:
        return None
    if len(parts) == 1 and not _solvable(terms, signs):
        return Form(" ".join(read(term, decide).key + sign for term, sign in zip(terms, [*signs, ""], strict=True)))
    solved = [_solution(*_chain(part), decide) for part in parts[::2]]
    if len(solved) == 1:
        return Form(solved[0] if isinstance(solved[0], str) else region.text(solved[0]))
    so_far = _region(solved[0])
    for operation, more in zip(parts[1::2], solved[1:], strict=True):
        so_far = [*so_far, *_region(more)] if operation == "lor" else region.intersection(so_far, _region(more))
    return Form(region.text(so_far))


def _chain(text: str) -> tuple[list[str], list[str]]:
    """Terms and the signs between them, turned so that the signs point left: a < b <= c."""
    sides = [side.strip() for side in split(text, _ORDER)]
    terms, signs = sides[::2], sides[1::2]
    if not any(sign in _REVERSED for sign in signs):
        return terms, signs
    if any(sign in "<≤" for sign in signs):
        raise Undecided("signs that point both ways")
    return terms[::-1], [_REVERSED.get(sign, sign) for sign in signs[::-1]]


def _unknown(terms: list[str]) -> int | None:
    """The place of the one term that names the unknown, the others being numbers."""
    unknowns = [place for place, term in enumerate(terms) if free(term)]
    if len(unknowns) != 1 or not named(terms[unknowns[0]]) or terms[unknowns[0]].startswith("-"):
        return None
    return unknowns[0]


def _solvable(terms: list[str], signs: list[str]) -> bool:
    return _unknown(terms) is not None or (len(terms) == 2 and signs[0] in "<≤")


def _solution(terms: list[str], signs: list[str], decide: Decider) -> list[Interval] | str:
    unknown = _unknown(terms)
    if unknown is None:
        return _solved(terms, signs, decide)
    if len(terms) > 3:
        raise Undecided(f"a chain of {len(terms)} terms")
    low = decide.scalar(terms[unknown - 1]) if unknown else MINUS
    high = decide.scalar(terms[unknown + 1]) if unknown + 1 < len(terms) else PLUS
    if "≠" in signs:
        return region.complement([region.point(high if unknown == 0 else low)])
    return [Interval(low, high, "≤" in signs[:unknown], "≤" in signs[unknown:])]


def _solved(terms: list[str], signs: list[str], decide: Decider) -> list[Interval] | str:
    if len(terms) != 2 or signs[0] not in "<≤":
        raise Undecided(" ".join(terms))
    solved = decide.inequality(terms[0], terms[1], signs[0] == "<")
    if isinstance(solved, str):
        return solved
    closed = signs[0] == "≤"
    return [Interval(solved.end, PLUS, closed, False) if solved.above else Interval(MINUS, solved.end, False, closed)]


def _region(solved: list[Interval] | str) -> list[Interval]:
    if isinstance(solved, str):
        raise Undecided(solved)
    return solved
