"""Roots, read as schools read them: real where they can be. Imported by the worker process only.

An odd root of a negative number is negative. An expression with even roots of unknowns is one of real numbers, and has
values where its roots have: sqrt(a) sqrt(b) and sqrt(a b), principal values of which differ where both are negative,
are the same where a and b are at least 0.
"""

from collections.abc import Callable

import sympy

from ttcs.answers.points import Point

_SMALL = sympy.Rational(1, 10**4)
_DIGITS = 15


def real_roots(expression: sympy.Expr) -> sympy.Expr:
    """The expression with the real odd root of whatever is real. One that holds the imaginary unit is left alone."""
    if expression.has(sympy.I):
        return expression
    return expression.replace(_odd_root, _real)


def _odd_root(part: sympy.Basic) -> bool:
    exponent = part.exp if isinstance(part, sympy.Pow) else None
    return isinstance(exponent, sympy.Rational) and exponent.q > 1 and exponent.q % 2 == 1


def _real(power: sympy.Pow) -> sympy.Expr:
    base, exponent = power.args
    if base.is_nonnegative or base.has(sympy.I):
        return power
    return sympy.sign(base) ** exponent.p * sympy.Abs(base) ** exponent


def domain(expression: sympy.Expr) -> list[sympy.Expr]:
    """What has to be at least 0 for the even roots of an expression to be real, each factor by itself; empty where none
    of its unknowns is under one.
    """
    if expression.has(sympy.I):
        return []
    roots = [part for part in expression.atoms(sympy.Pow) if _even_root(part)]
    return [condition for root in roots for condition in _conditions(root.base)]


def _even_root(power: sympy.Pow) -> bool:
    exponent = power.exp
    return isinstance(exponent, sympy.Rational) and exponent.q % 2 == 0 and bool(power.base.free_symbols)


def _conditions(radicand: sympy.Expr) -> list[sympy.Expr]:
    """The factors of odd power, each turned so that it is positive where the unknowns are small, or else where they are
    large; just the radicand where either makes it negative, or where it has no factors.
    """
    unknowns = radicand.free_symbols
    if not radicand.is_rational_function(*unknowns):
        return [radicand]
    above, below = sympy.together(radicand).as_numer_denom()
    constant, factors = sympy.factor_list(sympy.expand(above * below), *unknowns)
    odd = [factor for factor, power in factors if power % 2]
    turned = [factor if _positive(factor, dict.fromkeys(unknowns, _SMALL)) else -factor for factor in odd]
    negative = sum(one is not other for one, other in zip(turned, odd, strict=True)) % 2
    if bool(constant < 0) == bool(negative):
        return turned
    return odd if constant > 0 else [radicand]


def _positive(expression: sympy.Expr, at: Point) -> bool:
    value = expression.subs(at).evalf(_DIGITS)
    return bool(value.is_extended_real) and bool(value >= 0)


def inside(conditions: list[sympy.Expr]) -> Callable[[Point], bool]:
    """Whether a point is in a domain."""
    return lambda at: all(_positive(condition, at) for condition in conditions)
