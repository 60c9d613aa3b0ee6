"""Plain numbers, read without any symbolic mathematics: the fast path of nearly every answer."""

import re
from decimal import Decimal
from fractions import Fraction

_INTEGER = r"\d+"
_DECIMAL = r"(?:\d+\.?\d*|\.\d+)"
_TERM = re.compile(
    rf"""(?P<sign>[-+]*)\s*(?:
        (?P<whole>{_INTEGER})\s*\\frac\{{\s*(?P<above>{_INTEGER})\s*\}}\{{\s*(?P<below>{_INTEGER})\s*\}}
      | (?P<plain_whole>{_INTEGER})\s+(?P<plain_above>{_INTEGER})/(?P<plain_below>{_INTEGER})
      | \\frac\{{\s*(?P<numerator>-?{_DECIMAL})\s*\}}\{{\s*(?P<denominator>-?{_DECIMAL})\s*\}}
      | (?P<over>{_DECIMAL})\s*/\s*(?P<under>{_DECIMAL})
      | (?P<decimal>{_DECIMAL})(?:\s*\\cdot\s*10\^\{{(?P<exponent>[-+]?\d{{1,4}})\}})?
    )""",
    re.VERBOSE,
)
_LONGEST = 4000  # digits; Python refuses to read integers of more than 4300

_FLOAT_FIGURES = (16, 17)  # that a float of 53 bits is printed with where its value is not a short decimal
_FLOAT_NOISE = Fraction(1, 10**15)  # of its size: a few roundings of 1.1e-16
_SHORT = 13  # figures


def rational(text: str) -> Fraction | None:
    """An integer, decimal, fraction, mixed number or power-of-ten notation; None for anything else and for division by
    zero.
    """
    found = _TERM.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    try:
        value = _value(found)
    except ZeroDivisionError:
        return None
    return -value if value is not None and found["sign"].count("-") % 2 else value


def _value(found: re.Match[str]) -> Fraction | None:
    if (decimal := found["decimal"]) is not None:
        return shorten(Fraction(decimal), decimal) * Fraction(10) ** int(found["exponent"] or 0)
    if found["numerator"] is not None:
        return Fraction(found["numerator"]) / Fraction(found["denominator"])
    if found["over"] is not None:
        return Fraction(found["over"]) / Fraction(found["under"])
    whole = found["whole"] or found["plain_whole"]
    part = Fraction(int(found["above"] or found["plain_above"]), int(found["below"] or found["plain_below"]))
    # 2 3/2 is no mixed number, and whether a product was meant cannot be known.
    return int(whole) + part if part < 1 else None


def shorten(value: Fraction, digits: str) -> Fraction:
    """What a decimal stands for that a computer printed: 0.0833333333333333, of 15 or more places, is the small
    fraction it was rounded from, and 0.30000000000000004 the short decimal it misses by the rounding of floats.
    """
    places, figures = len(digits.partition(".")[2]), len(digits.replace(".", "").lstrip("0"))
    noise = abs(value) * _FLOAT_NOISE if places and figures in _FLOAT_FIGURES else Fraction(0)
    nearby = [Fraction(f"{Decimal(digits):.{_SHORT - 1}e}")] if noise else []
    nearby += [value.limit_denominator(1000)] if places >= 15 or noise else []
    allowed = max(noise, Fraction(1, 10**places) if places >= 15 else Fraction(0))
    return next((short for short in nearby if abs(short - value) <= allowed), value)


def key(value: Fraction) -> str:
    """Hexadecimal, since Python limits the decimal digits it prints."""
    return f"{value.numerator:x}" if value.denominator == 1 else f"{value.numerator:x}/{value.denominator:x}"
