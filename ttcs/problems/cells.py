"""A cell of a table as text, whatever kind of value the table keeps there."""

from __future__ import annotations

from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from ttcs.errors import UserError

KINDS = str, int, float, Decimal, date, time, timedelta, UUID


def text(where: str, column: str, value: Any) -> str | None:
    """None: the cell is empty, or there is nothing but white space in it.

    Bytes are UTF-8 text. A whole number that a table keeps as a float (for the sake of its empty cells) or with decimal
    places is written without them. UserError for other bytes, and for what is neither text nor a number.
    """
    if isinstance(value, bytes):
        value = _decoded(where, column, value)
    if value is None or value != value:  # nan is how tables say that a cell is empty
        return None
    if not isinstance(value, KINDS):
        raise UserError(f"{where}: column {column} holds a {type(value).__name__}, not text or a number")
    return _plain(value) if _plain(value).strip() else None


def _decoded(where: str, column: str, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: column {column} holds bytes that are not UTF-8 text") from error


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, Decimal):
        return str(int(value)) if value.is_finite() and value == int(value) else format(value, "f")
    return str(value)
