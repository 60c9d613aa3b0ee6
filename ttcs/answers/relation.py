"""Answers that name or equate: lists, assignments, equations."""

import re
from collections.abc import Callable

from ttcs.answers.braces import split
from ttcs.answers.form import Form, Undecided
from ttcs.answers.scalar import Decider

Reader = Callable[[str, Decider], Form]

_LETTER = r"(?:[A-Za-z]|\\(?!infty|pi(?![a-z])|frac|sqrt|cdot|in(?![a-z])|pm|mp|cup)[a-zA-Z]+)"
_INDEX = r"(?:_(?:\{[^{}]*\}|\w))?'*"
_SYMBOL = re.compile(rf"-?{_LETTER}{_INDEX}")
_CALL = re.compile(rf"(?:{_LETTER}|[A-Za-z]+){_INDEX}(?:\^\{{?-1\}}?)?\s*[(\[][^=]*[)\]]")
_NAME = re.compile(
    rf"(?:\\(?:angle|triangle|overline|overrightarrow|widehat|hat|bar|Delta)\s*)*\{{?[A-Za-z]+{_INDEX}\}}?"
    rf"|[A-Za-z]+(?: [A-Za-z]+)*"
    rf"|\|[A-Z][A-Za-z]*\||\\frac\{{[A-Z]+\}}\{{[A-Z]+\}}|[A-Z]+/[A-Z]+|[A-Z]\w*{_INDEX}(?:\s*:\s*[A-Z]\w*{_INDEX})+"
    rf"|\(\s*{_LETTER}{_INDEX}(?:\s*,\s*{_LETTER}{_INDEX})+\s*\)"
)
_FREE = re.compile(r"(?<![a-zA-Z\\])(?![ei](?![a-zA-Z]))[A-Za-z]|\\(?:alpha|beta|theta|phi|lambda|mu|omega)(?![a-z])")
_EQUALS = re.compile(r"=|\\equiv(?![a-z])")
_ABOUT = re.compile("≈")
_SIGN = re.compile(r"\\(pm|mp)(?![a-zA-Z])")
_RUNS_OVER = re.compile(r"\\(?:sum|prod)(?:\\limits)?\s*_\s*\{\s*([a-zA-Z])\s*=")
_IN = re.compile(r"\\in(?![a-zA-Z])")


def named(text: str) -> bool:
    """Whether text only gives a name to what it is equal to: x, f(x), |AB|, NO/BO, (p, q)."""
    text = text.strip()
    return any(pattern.fullmatch(text) for pattern in (_SYMBOL, _CALL, _NAME)) and text not in ("e", "i", "\\pi")


def free(text: str) -> bool:
    """Whether text holds an unknown, be it only a word."""
    return _FREE.search(re.sub(r"_\{[^{}]*\}", "", text)) is not None


def _unknown(text: str) -> bool:
    """Whether text holds an unknown that no sum or product in it runs over."""
    for index in _RUNS_OVER.findall(text):
        text = re.sub(rf"(?<![a-zA-Z\\]){index}(?![a-zA-Z])", "", text)
    return free(text)


def listed(parts: list[str], decide: Decider, read: Reader) -> Form:
    """Several answers, in any order. Where each has a name of its own (x = 1, y = 2) the names count."""
    parts = [signed for part in parts for signed in both_signs(part)]
    sides = [split(part, _EQUALS) for part in parts]
    names = [side[0].strip() for side in sides if len(side) == 2 and named(side[0])]
    values = [read(side[-1] if named(side[0]) else part, decide).key for side, part in zip(sides, parts, strict=True)]
    if len(names) == len(parts) == len(set(names)):
        return _assigned(sorted(zip(names, values, strict=True)))
    return collection(values)


def both_signs(text: str) -> list[str]:
    """What text with a plus-minus stands for, all upper signs belonging together; just the text where it has none."""
    if not _SIGN.search(text):
        return [text]
    upper, lower = {"pm": "+", "mp": "-"}, {"pm": "-", "mp": "+"}
    return [_SIGN.sub(lambda found: upper[found[1]], text), _SIGN.sub(lambda found: lower[found[1]], text)]


def _assigned(values: list[tuple[str, str]]) -> Form:
    """Named values, by name. They may be read as a tuple in that order, and as a set where x_1, x_2, ... only count
    them.
    """
    inside = ",".join(value for _, value in values)
    counted = {re.sub(r"_\{?\d\}?$", "", name) for name, _ in values}
    as_set = (collection([value for _, value in values]).key,) if len(counted) == 1 else ()
    return Form("where " + ",".join(f"{name}={value}" for name, value in values), (f"({inside})", *as_set))


def collection(keys: list[str]) -> Form:
    distinct = sorted(set(keys))
    return Form(distinct[0] if len(distinct) == 1 else "{" + ",".join(distinct) + "}")


def related(text: str, decide: Decider, read: Reader) -> Form | None:
    if len(sides := split(text, _ABOUT)) > 1:
        # What stands before the sign is exact, unless it is a mere name.
        return read(sides[0] if sides[0].strip() and not named(sides[0]) else sides[1], decide)
    if len(sides := split(text, _EQUALS)) > 1:
        return _equal([side.strip() for side in sides], decide, read)
    if len(sides := split(text, _IN)) == 2 and named(sides[0]):
        return read(sides[1], decide)
    return None


def _equal(sides: list[str], decide: Decider, read: Reader) -> Form:
    if _CALL.fullmatch(sides[0]) or (named(sides[0]) and not free(sides[-1])) or not sides[0]:
        return read(sides[-1], decide)
    if named(sides[-1]) and not free(sides[0]) and len(sides) == 2:
        return read(sides[0], decide)
    if named(sides[0]) and (len(sides) > 2 or not _SYMBOL.fullmatch(sides[0])):
        return read(sides[-1], decide)
    if not any(map(_unknown, sides[:-1])) and (named(sides[-1]) or not _unknown(sides[-1])):
        # Arithmetic written out (9 + 8 + 6 = 23): what it comes to is the answer.
        return read(sides[-2] if _unknown(sides[-1]) else sides[-1], decide)
    if len(sides) > 2:
        raise Undecided(f"a chain of {len(sides)} equations")
    readings = (read(sides[1], decide).key,) if _SYMBOL.fullmatch(sides[0]) else ()
    return Form(decide.equation(*sides), readings)
