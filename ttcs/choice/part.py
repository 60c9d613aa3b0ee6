"""A share of a number of things."""

from __future__ import annotations

DIGITS = 9  # behind which a product of floating-point numbers is wrong: 0.07 * 100 is 7.000000000000001


def part(share: float, of: int) -> float:
    """To be rounded up or down by who asks for whole ones."""
    return round(share * of, DIGITS)
