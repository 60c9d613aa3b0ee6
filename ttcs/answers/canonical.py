"""The canonical form of an answer: what kind of thing it is, taken apart down to single expressions that a decider
reads.
"""

import re

from ttcs.answers import inequality, relation, sets
from ttcs.answers.braces import matching, split
from ttcs.answers.clean import clean
from ttcs.answers.form import Form
from ttcs.answers.rational import key, rational
from ttcs.answers.scalar import Decider

UNREAD = "text: "
_CHOICE = re.compile(r"\(?([A-Z])[).:]?")
_WORDS = re.compile(r"[A-Za-z]{2,}(?:[ '-]+[A-Za-z]+)*")
_PRODUCT = re.compile(r"[abcdkmnpqrstxyz]{2,3}")
_COMMA = re.compile(r"[,;]")
_GROUPED = re.compile(r"(?<![\d.,])(\d{1,3}(?:,\d{3})+)(?!,?\d)")
_BASE = re.compile(r"([0-9A-Fa-f]+)_\{? ?(\d{1,2}) ?\}?")
_BASED = re.compile(r"\(([0-9A-Fa-f]+)\)_\{? ?(\d{1,2}) ?\}?")
_MATRIX = re.compile(r"\\begin\{([pbvBV]?matrix|array)\}(?:\{[^{}]*\})?(.*)\\end\{\1\}", re.DOTALL)
_RATIO = re.compile(r":|\\colon")


def canonical(text: str, decide: Decider) -> Form:
    """The form of an answer, its key empty where the text holds no answer. Raises Undecided where the decider does."""
    if (value := rational(text.strip())) is not None:
        return Form(key(value))
    text = clean(text)
    return read(text, decide) if text else Form("")


def as_text(text: str) -> Form:
    """The form of what is no mathematics, or none that could be read in time: the text itself, normalised."""
    text = clean(text)
    if _WORDS.fullmatch(text):
        return Form(_words(text))
    return Form(UNREAD + re.sub(r"(?<!\w) +| +(?!\w)", "", text) if text else "")


def read(text: str, decide: Decider) -> Form:
    """The form of text that is already clean."""
    text = _unwrap(text.strip())
    if choice := _CHOICE.fullmatch(text):
        return Form(f"symbol {choice[1]}")
    if _WORDS.fullmatch(text) and not _PRODUCT.fullmatch(text):
        return Form(_words(text))
    if based := _BASE.fullmatch(text) or _BASED.fullmatch(text):
        # The reading: where a base is asked for, its subscript is often left out.
        return Form(f"base {based[2]}: {based[1].lower()}", (key(whole),) if (whole := rational(based[1])) else ())
    text = _ungroup(text)
    parts = [part for part in split(text, _COMMA) if part.strip()]
    if len(parts) > 1:
        return relation.listed(parts, decide, read)
    if not parts:
        return Form("text " + text)
    return _one(parts[0].strip(), decide)


def _one(text: str, decide: Decider) -> Form:
    for reader in (relation.related, inequality.ordered, sets.combined, sets.bracketed, _matrix, _ratio, _two_signs):
        if (form := reader(text, decide, read)) is not None:
            return form
    scalar = decide.scalar(text)
    return Form(scalar.key, scalar.readings)


def _words(text: str) -> str:
    return "text " + " ".join(re.split(r"[ '-]+", text.lower()))


def _unwrap(text: str) -> str:
    """Without brackets around the whole that hold one thing only: (1/3), {5}, ((1, 2))."""
    while text[:1] in ("(", "{") and matching(text, 0) == len(text) and text[-1] in ")}":
        inside = text[1:-1].strip()
        if not inside or (text[0] == "(" and len(split(inside, _COMMA)) > 1):
            break
        text = inside
    return text


def _ungroup(text: str) -> str:
    """Without the commas that group digits (7,425,000), save in brackets, where a comma separates."""
    if not _GROUPED.search(text):
        return text
    pieces = split(text, re.compile(f"(?:{_GROUPED.pattern})"))
    return "".join(piece.replace(",", "") if place % 2 else piece for place, piece in enumerate(pieces))


def _matrix(text: str, decide: Decider, _: object) -> Form | None:
    inside = text
    if text.startswith("[") and text.endswith("]"):
        inside = text[1:-1].strip()
    found = _MATRIX.fullmatch(inside)
    if found is None:
        return None
    rows = [row for row in re.split(r"\\\\|\\cr(?![a-z])", found[2]) if row.strip()]
    return Form("matrix " + ";".join(",".join(read(cell, decide).key for cell in row.split("&")) for row in rows))


def _ratio(text: str, decide: Decider, _: object) -> Form | None:
    parts = split(text, _RATIO)
    return Form(":".join(read(part, decide).key for part in parts)) if len(parts) > 1 else None


def _two_signs(text: str, decide: Decider, _: object) -> Form | None:
    return relation.listed([text], decide, read) if len(relation.both_signs(text)) > 1 else None
