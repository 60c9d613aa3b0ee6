"""How an override has to be written for Hydra and the shell to leave its value as it is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from ttcs.errors import UserError

# Commands of TeX that begin as a line break would be written.
TEX = (
    r"n(?:abla|atural|e|earrow|eg|eq|ewline|exists|geq|gtr|i|leq|less|mid|onumber|ormalsize|ot|otin|parallel|subseteq"
    r"|supseteq|u|warrow)(?![A-Za-z])"
)
BREAK = re.compile(rf"\\(?!{TEX})n")


def quoted(override: str) -> str | None:
    """The override as a shell takes it, its value one text or a list; None: there is no key in it, or nothing helps."""
    key, equals, value = override.partition("=")
    inner = value.strip()
    if inner[:1] == "[" and inner[-1:] == "]" and isinstance(_value(items := f"{key}=[{_items(inner[1:-1])}]"), list):
        return _shell(items)
    if len(inner) > 1 and inner[0] == inner[-1] and inner[0] in "\"'":  # quotes that were meant so, and fell short
        value = inner[1:-1]
    wanted = f'{key}="{_escaped(value)}"'
    return _shell(wanted) if equals and _value(wanted) == value else None


def checked(overrides: Sequence[str]) -> None:
    r"""UserError for a line break that is written \n: neither the shell nor Hydra makes one of it.

    It is not made one here, because it may as well be the beginning of \neq; what begins as TeX does passes.
    """
    for override in overrides:
        key, _, value = override.partition("=")
        if not BREAK.search(value):
            continue
        inner = _value(override)
        if inner is None or isinstance(inner, str):
            text = BREAK.sub("\n", value if inner is None else inner)
            written = "with a line break it is " + _shell(f'{key}="{_escaped(text)}"')
        else:
            written = "a line break in a list, or in values to sweep over, is written in quotes: $'KEY=[\"a\\nb\",c]'"
        raise UserError(f"{key} has \\n in it, which stays two characters; {written}")


def _items(inside: str) -> str:
    """Of a list, those in quotes that Hydra cannot read."""
    readable = (
        item if _value(f"k={item}") is not None else f'"{_escaped(item.strip())}"' for item in inside.split(",")
    )
    return ",".join(readable)


def _escaped(text: str) -> str:
    """For double quotes of Hydra's, in which a backslash counts only before a quote."""
    return re.sub(r'(\\*)("|\Z)', lambda found: found[1] * 2 + ("\\" + found[2]) * bool(found[2]), text)


def _value(override: str) -> object:
    try:
        return OverridesParser.create().parse_override(override).value()
    except HydraException:
        return None


def _shell(text: str) -> str:
    """One line, in single quotes; those of bash and zsh for control characters where there are some."""
    if text.isprintable():
        return shlex.quote(text)
    plain = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\t", "\\t")
    return "$'" + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in plain) + "'"
