"""The checks that strategies share on their sizes."""

from __future__ import annotations

from ttcs.errors import UserError


def at_least(least: int, **sizes: int) -> None:
    for name, size in sizes.items():
        if size < least:
            raise UserError(f"{name}={size} is less than {least}")


def multiple(n: int, width: int) -> None:
    at_least(1, n=n, width=width)
    if n % width:
        raise UserError(f"n={n} is not a multiple of width={width}")
