r"""The final answer in boxes: the last \boxed{...}, with those before it that it makes one list with."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ttcs.answers.braces import pairs
from ttcs.answers.canonical import canonical
from ttcs.answers.clean import UNIT
from ttcs.answers.form import Undecided
from ttcs.answers.scalar import Plain
from ttcs.answers.tidy import tidy

_BOX = re.compile(r"\\(?:boxed|fbox)(?![a-zA-Z])\s*(?:(?P<brace>\{)|(?P<bare>[-+]?\d[\d.,/]*|[A-Za-z](?![A-Za-z_])))")
_NAME = r"[A-Za-z](?:_\{?\w{1,3}\}?)?'?"
_TEXT = r"\\(?:text(?:bf|it|rm)?|mbox|mathrm)\s*\{"
_UNITS = rf"(?:(?:\^\s*)?\{{?\\circ\b\}}?|\\?%|°|\b{UNIT}(?:\^\{{?\d\}}?)?(?![a-zA-Z]))"
_BETWEEN = re.compile(
    rf"(?:{_UNITS}|[\s,;&~$*{{}}]|\\(?:boxed|fbox|lor|land|q?quad)(?![a-zA-Z])|\\[\[\]() ,;:!$\\]"
    rf"|\b(?:and|or|as well as)\b|{_TEXT}\s*(?:(?:,|and|or|{UNIT}|[mgshL]\b)\s*)+\}})*(?:{_NAME}\s*&?\s*=\s*)?\s*"
)
_NAMED = re.compile(rf"(?:^|[$,;:.(\[\n&]|\\\\|\{{[a-z]+\*?\}}|(?<=[a-z]{{2}})\s)\s*({_NAME})\s*&?\s*=\s*$")
_OR = re.compile(r"\bor\b|\\lor\b")
_PLAIN = Plain()
_FARTHEST = 120  # characters; what joins two boxes is short


@dataclass(frozen=True, slots=True)
class _Box:
    start: int
    end: int
    content: str


def boxed(text: str) -> str | None:
    r"""What is in the last box that is neither empty nor cut off; None where there is none.

    Boxes with nothing between them but commas, "and", "or", units, space, delimiters and a name (x = \boxed{3} or x =
    \boxed{-3}) are one list. Of boxes with prose between them the last counts, of one box in another the inner.
    """
    boxes = _boxes(text)
    if not boxes:
        return None
    first = len(boxes) - 1
    while first and _joined(text, boxes[first - 1], boxes[first]):
        first -= 1
    return _list(text, boxes[first:]) if first < len(boxes) - 1 else boxes[-1].content


def _boxes(text: str) -> list[_Box]:
    opened = list(_BOX.finditer(text))
    ends = pairs(text) if opened else {}
    boxes: list[_Box] = []
    inner = len(text)  # the start of the box after, which is inside of this one where this one ends behind it
    for box in reversed(opened):
        end = ends.get(box.end() - 1) if box["brace"] else box.end()
        if end is None or end > inner:
            continue
        content = tidy(text[box.end() : end] if box["brace"] else box["bare"])
        if content is not None:
            boxes.append(_Box(box.start(), end + 1 if box["brace"] else end, content))
            inner = box.start()
    return boxes[::-1]


def _joined(text: str, one: _Box, other: _Box) -> bool:
    return other.start - one.end <= _FARTHEST and _BETWEEN.fullmatch(text, one.end, other.start) is not None


def _list(text: str, boxes: Sequence[_Box]) -> str:
    """What the boxes hold, one after the other; of those that hold the same number the last alone."""
    last = {_meaning(box.content): box for box in boxes}
    boxes = [box for box in boxes if last[_meaning(box.content)] is box]
    names = [_name(text, box) for box in boxes]
    # Names that differ say which is which: x = 3 and y = 4 is a pair, x = 3 or x = -3 are two of a kind.
    named = len(boxes) > 1 and None not in names and len(set(names)) == len(names)
    contents = [f"{name} = {box.content}" if named else box.content for name, box in zip(names, boxes, strict=True)]
    written = contents[0]
    for before, box, content in zip(boxes, boxes[1:], contents[1:], strict=False):
        # What solves an inequality is joined by "or", which is no comma.
        written += (" or " if _OR.search(text, before.end, box.start) else ", ") + content
    return written


def _meaning(content: str) -> str:
    try:
        return canonical(content, _PLAIN).key
    except (Undecided, RecursionError):
        return "".join(content.split())


def _name(text: str, box: _Box) -> str | None:
    found = _NAMED.search(text[max(0, box.start - 40) : box.start])
    return found[1] if found else None
