"""The decider of everything else, by SymPy over math-verify's LaTeX parser. Imported by the worker process only.

An expression in unknowns is put in canonical form by its values at fixed points: expressions with the same values to 20
digits at several points in general position are equal but for a vanishing chance (Schwartz, 1980), whatever way they
are written, and values can be hashed where a proof of equality by simplification needs a comparison of every pair.
"""

from fractions import Fraction

import sympy
from latex2sympy2_extended import latex2sympy
from latex2sympy2_extended.latex2sympy2 import ConversionConfig
from sympy.core.function import AppliedUndef

from ttcs.answers.exact import exact
from ttcs.answers.form import Undecided
from ttcs.answers.points import Point, of_both_signs, points
from ttcs.answers.radicals import domain, inside, real_roots
from ttcs.answers.rational import key
from ttcs.answers.scalar import Bound, Plain, Scalar, as_float

_PLAIN = Plain()
_CONFIG = ConversionConfig(lowercase_symbols=False)
_DIGITS = 20
_MOST_BRACKETS = 200  # beyond these the parser takes seconds, and no answer has them
_BOUND = (sympy.Sum, sympy.Product, sympy.Integral, sympy.Limit, sympy.Derivative)


class Symbolic:
    """Decides whatever math-verify parses. Raises Undecided for the rest."""

    def scalar(self, text: str) -> Scalar:
        try:
            return _PLAIN.scalar(text)
        except Undecided:
            return _scalar(parse(text))

    def equation(self, left: str, right: str) -> str:
        return "equation " + _up_to_factor(parse(left) - parse(right), signed=False)

    def inequality(self, left: str, right: str, strict: bool) -> str | Bound:
        difference = parse(left) - parse(right)
        unknowns = _unknowns(difference)
        if len(unknowns) == 1 and difference.is_polynomial(*unknowns):
            slope, *constant = sympy.Poly(difference, *unknowns).all_coeffs()
            if len(constant) == 1 and (rising := slope.is_positive) is not None:
                return Bound(_scalar(-constant[0] / slope), above=not rising)
        return f"{'less' if strict else 'at most'} " + _up_to_factor(difference, signed=True)


def parse(text: str) -> sympy.Expr:
    """The expression that LaTeX stands for, i being the imaginary unit."""
    if text.count("(") + text.count("{") > _MOST_BRACKETS:
        raise Undecided(text)
    try:
        expression = latex2sympy(text, normalization_config=None, conversion_config=_CONFIG)
    except Exception as error:  # the parser raises bare Exception, and whatever its tree walk runs into
        raise Undecided(text) from error
    if not isinstance(expression, sympy.Expr):
        raise Undecided(text)
    applied = {call: sympy.Symbol(str(call)) for call in expression.atoms(AppliedUndef)}
    # The shortest decimal that reads back as a float is what was written.
    decimals = {number: sympy.Rational(str(number)) for number in expression.atoms(sympy.Float)}
    return real_roots(expression.xreplace(applied | decimals).subs(sympy.Symbol("i"), sympy.I))


def _unknowns(expression: sympy.Expr) -> list[sympy.Symbol]:
    return sorted(expression.free_symbols, key=str)


def _scalar(expression: sympy.Expr) -> Scalar:
    if (value := exact(expression)) is not None:
        return Scalar(key(value), as_float(value))
    unknowns = _unknowns(expression)
    if not unknowns:
        return _number(expression)
    if len(unknowns) == 1 and expression == unknowns[0]:
        return Scalar(f"symbol {expression}")
    if expression.has(*_BOUND):
        return Scalar(f"formal {sympy.srepr(expression)}")
    values = _values(expression)
    if len(set(values)) == 1:
        return _number(expression.subs(dict.fromkeys(unknowns, sympy.Rational(1, 3))))
    if len(unknowns) == 1 and values == _values(unknowns[0]):
        return Scalar(f"symbol {unknowns[0]}")
    everywhere = "values " + " ".join(values)
    real = _real_values(expression)
    return Scalar(everywhere) if real is None else Scalar(real, readings=(everywhere,))


def _number(expression: sympy.Expr) -> Scalar:
    real, imaginary = expression.evalf(50).as_real_imag()
    if not (real.is_Float or real.is_Integer or real.is_Rational) or not imaginary.is_number:
        raise Undecided(str(expression))
    if not imaginary.is_zero and not _vanishes(imaginary):
        return Scalar(f"{_digits(real)}+{_digits(imaginary)}i")
    return Scalar(_digits(real), as_float(real))


def _vanishes(number: sympy.Expr) -> bool:
    """Whether a numerical value is zero; evalf leaves no correct digit in what it could not tell from zero."""
    return bool(number.is_zero) or (number.is_Float and number._prec <= 4)


def _digits(number: sympy.Expr) -> str:
    """A number as text: as a fraction where it is one (a value of 50 digits that is within 1e-35 of a small one)."""
    if _vanishes(number):
        return "0"
    if not number.is_finite:
        raise Undecided(str(number))
    if abs(number) < 10**12 and abs(number) > sympy.Float("1e-12"):
        value = Fraction(str(sympy.Float(number, 50)))
        nearby = value.limit_denominator(10**6)
        if abs(nearby - value) <= abs(value) * Fraction(1, 10**35):
            return key(nearby)
    return str(sympy.Float(number, _DIGITS))


def _values(expression: sympy.Expr) -> list[str]:
    return [_complex(expression.evalf(30, subs=point)) for point in _points(expression)]


def _points(expression: sympy.Expr) -> list[Point]:
    every = points(_unknowns(expression))
    # Who writes the logarithm of a product as a sum takes its factors to be positive.
    return every[::2] if any(logarithm.free_symbols for logarithm in expression.atoms(sympy.log)) else every


def _real_values(expression: sympy.Expr) -> str | None:
    """The values where the roots in an expression are real, the other points left out; None where none is left out, or
    all are.
    """
    conditions = domain(expression)
    is_inside = inside(conditions)
    if not conditions or all(map(is_inside, _points(expression))):
        return None
    sampled = _points(expression) + of_both_signs(_unknowns(expression))
    values = [_complex(expression.evalf(30, subs=point)) if is_inside(point) else "-" for point in sampled]
    return "real values " + " ".join(values) if set(values) != {"-"} else None


def _complex(value: sympy.Expr) -> str:
    if not value.is_number or value.has(sympy.nan, sympy.zoo, sympy.oo):
        raise Undecided(str(value))
    real, imaginary = value.as_real_imag()
    return f"{_rounded(real)},{_rounded(imaginary)}"


def _rounded(number: sympy.Expr) -> str:
    return "0" if _vanishes(number) else str(sympy.Float(number, _DIGITS))


def _up_to_factor(expression: sympy.Expr, signed: bool) -> str:
    """The values of an expression in proportion to the first, or to its size where the sign counts."""
    unknowns = _unknowns(expression)
    if not unknowns or expression.has(*_BOUND):
        return str(sympy.srepr(expression))
    values = [expression.evalf(40, subs=point) for point in points(unknowns)]
    scale = sympy.Abs(values[0]) if signed else values[0]
    if any(not value.is_number or value.has(sympy.nan, sympy.zoo, sympy.oo) for value in values) or _vanishes(scale):
        raise Undecided(str(expression))
    return ",".join(map(str, unknowns)) + " " + " ".join(_complex((value / scale).evalf(30)) for value in values)
