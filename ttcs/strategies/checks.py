"""The checks that strategies share on their sizes."""

from __future__ import annotations

from ttcs.errors import UserError


def at_least(least: int, /, **sizes: int) -> None:
    for name, size in sizes.items():
        if size < least:
            raise UserError(f"{name}={size} is less than {least}")


def multiple(n: int, **units: int) -> None:
    at_least(1, n=n, **units)
    for name, unit in units.items():
        if n % unit:
            raise UserError(f"n={n} is not a multiple of {name}={unit}")


def holds(place: str, **texts: str) -> None:
    """UserError for a text of a strategy that has no place for what the model is to be told."""
    for name, text in texts.items():
        if place not in text:
            raise UserError(f"{name}={text!r} does not say where {place} goes: the model would never be told")
