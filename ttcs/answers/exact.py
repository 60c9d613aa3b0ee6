"""Exact values of expressions that are rational, without building numbers too large to hold."""

from fractions import Fraction
from math import comb, factorial, log2

import sympy

_MOST_BITS = 200_000


def exact(expression: sympy.Basic) -> Fraction | None:
    """The rational value of an expression; None where it is not rational, or not plainly, or too large to write out."""
    if isinstance(expression, sympy.Rational):
        return Fraction(int(expression.p), int(expression.q))
    if not isinstance(expression, (sympy.Add, sympy.Mul, sympy.Pow, sympy.factorial, sympy.binomial)):
        return None
    arguments = [exact(argument) for argument in expression.args]
    values = [argument for argument in arguments if argument is not None]
    if len(values) < len(arguments):
        return None
    if isinstance(expression, sympy.Add):
        return sum(values, Fraction(0))
    if isinstance(expression, sympy.Mul):
        return _product(values)
    return _power(*values) if isinstance(expression, sympy.Pow) else _counted(values)


def _product(values: list[Fraction]) -> Fraction:
    product = Fraction(1)
    for value in values:
        product *= value
    return product


def _power(base: Fraction, exponent: Fraction) -> Fraction | None:
    if exponent.denominator != 1 or (base == 0 and exponent < 0):
        return None
    size = log2(max(abs(base.numerator), base.denominator, 1))
    # Compared this way round, an exponent beyond the floats is no trouble.
    return base ** int(exponent) if size == 0 or abs(exponent) <= int(_MOST_BITS / size) else None


def _counted(values: list[Fraction]) -> Fraction | None:
    if any(value.denominator != 1 or not 0 <= value <= 10_000 for value in values):
        return None
    whole = [int(value) for value in values]
    return Fraction(factorial(whole[0]) if len(whole) == 1 else comb(whole[0], whole[1]))
