"""The points at which expressions in unknowns are compared. Imported by the worker process only."""

from hashlib import sha256

import sympy

Point = dict[sympy.Symbol, sympy.Rational]
_POINTS = 6


def points(unknowns: list[sympy.Symbol]) -> list[Point]:
    """Points in general position: by turns with all coordinates positive, and with some or all of them negative."""
    return [{unknown: _coordinate(unknown, index) for unknown in unknowns} for index in range(_POINTS)]


def of_both_signs(unknowns: list[sympy.Symbol]) -> list[Point]:
    """Points where some of several unknowns are negative and some are not, in all ways for three: they tell a sqrt(b)
    from sqrt(a^2 b).
    """
    if len(unknowns) < 2:
        return []
    signs = [[(-1) ** (index >> place % 3) for place in range(len(unknowns))] for index in range(8)]
    return [
        {unknown: sign * abs(_coordinate(unknown, index)) for unknown, sign in zip(unknowns, signs[index], strict=True)}
        for index in range(8)
    ]


def _coordinate(unknown: sympy.Symbol, index: int) -> sympy.Rational:
    """A number that depends on the name of the unknown and nothing else. It is negative at point 1, and far enough from
    0 that x + 1 is too; and at the other odd points for every second letter and every second pair of letters, so that
    a b differs from |a b|.
    """
    drawn = int.from_bytes(sha256(f"{unknown} {index}".encode()).digest()[:4], "big") % 9973 + 1000
    if index == 1:
        return sympy.Rational(-drawn - 4999, 999)
    letter = ord(str(unknown).lstrip("\\")[0])
    negative = (index == 3 and letter & 1) or (index == 5 and letter & 2)
    return sympy.Rational(-drawn if negative else drawn, 4999)
