"""One way of writing for the same mathematics: spacing, digit groups, units, currency, words, operators."""

import re
from collections.abc import Callable
from functools import reduce

from ttcs.answers.symbols import ascii_text
from ttcs.answers.tex import full_arguments, plain_functions

_TEXT = r"\\(?:text(?:bf|it|rm|normal|tt|sf|sc)?|mbox|hbox|mathrm|mathbf|mathit|mathsf|mathtt|operatorname\*?|rm|bf)"
UNIT = (
    r"(?:square |cubic |sq\.? |cu\.? )?(?:km/h|m/s|mph|kmph|km|cm|mm|dm|nm|kg|mg|mL|ml|lbs?|ft|in|oz|hrs?|min|secs?|"
    r"yds?|yrs?|inch(?:es)?|feet|foot|miles?|met(?:er|re)s?|yards?|units?|degrees?|hours?|minutes?|seconds?|days?|weeks?|"
    r"months?|years?|dollars?|cents?|percent|pct|points?|ways?|people|students?)"
)
MAGNITUDES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_KEEP = r"(?![ \d,]*(?i:and|or|[ap]\.?m\.?|if|hundred|thousand|million|billion|trillion|dozen|e|i|pi)\b)(?!\s*\()"
_POWER = r"(?:\^\s*(?:\{\s*-?\d\s*\}|\d))?"


_IN_TEXT = rf"{_TEXT}\s*\{{{_KEEP}[^{{}}\d]*\}}{_POWER}"
# A unit above and one below a line. A letter alone may be an unknown, and is a unit below another only: km/h.
_ABOVE = rf"\{{\s*(?:{_IN_TEXT}|{UNIT}{_POWER})\s*\}}"
_BELOW = rf"\{{\s*(?:{_IN_TEXT}|(?:{UNIT}|[hs]){_POWER})\s*\}}"
_AMOUNT = re.compile(
    rf"(?<=\d|\}})(?:\s*\b({UNIT})|\s*{_TEXT}\s*\{{\s*((?<=\s)[A-Za-z]|[A-Za-z][A-Za-z .]+?)\s*\}}"
    rf"|\s+(?!and\b|or\b)([a-z]{{4,}}|[mgsL]\b)){_POWER}"
    rf"(?=\s*(?:$|[,;)\]=≈+-]|\\\}}|\\approx\b|(?:and|or)\b|{_TEXT}\s*\{{\s*(?:,|and\b|or\b)))"
)
_UNIT_AND = re.compile(rf"(?<=[\d}}])\s*({_TEXT})\s*\{{([^{{}}]*[A-Za-z][^{{}}]*?),?\s+(and|or)\s*\}}")


def _without_unit(text: str) -> str:
    """Without the unit that all amounts of a list or a sum are in; 5 feet and 3 inches are neither."""
    divided = _UNIT_AND.sub(r" \1{\2} \3 ", text)
    units = [_singular(next(filter(None, found.groups()))) for found in _AMOUNT.finditer(divided)]
    return _AMOUNT.sub("", divided) if len(units) > 1 and len(set(units)) == 1 else text


def _singular(unit: str) -> str:
    return "foot" if unit == "feet" else re.sub(r"(?<=ch)es$|(?<=\w{2})s$", "", unit)


def _join(found: re.Match[str]) -> str:
    return f"{found[1]} \\l{found[2] or found[3]} "


def _repeating(found: re.Match[str]) -> str:
    r"""0.1\overline{6}, a decimal that repeats its last digits for ever, as a fraction."""
    once, again = found[2], found[3]
    below = 10 ** len(once) * (10 ** len(again) - 1)
    above = int(found[1] + once + again) - int(found[1] + once)
    return rf"\frac{{{above}}}{{{below}}}"


def _magnitude(found: re.Match[str]) -> str:
    return rf"\cdot 10^{{{MAGNITUDES[found[1]]}}}"


def _measured(found: re.Match[str]) -> str:
    """Nothing, for text after a quantity; text after text is part of an answer, a bold letter a vector."""
    if re.search(r"(?:bf|it)\s*\{\s*[A-Za-z]\s*\}", found.group()):
        return found.group()
    return "" if re.search(r"\d|\\pi|\\sqrt|^\W*[A-Za-z]$", found.string[: found.start()]) else found.group()


_WRITTEN: list[tuple[str, str | Callable[[re.Match[str]], str]]] = [
    # Colors and frames.
    (r"\\(?:text|page)?color(?:box)?\s*(?:\[[^\[\]]*\]\s*)?\{[^{}]*\}|\\(?:tag\*?|label)\s*\{[^{}]*\}", ""),
    (r"\\fcolorbox\s*\{[^{}]*\}\s*\{[^{}]*\}|\\bbox\s*(?:\[[^\[\]]*\])?", ""),
    (r"\\(?:underline|emph|ensuremath|mathop)\s*(?=\{)", ""),
    (r"\{\s*\{([^{}]*)\}\s*\}", r"{\1}"),
    # Mathematics is not prose: its delimiters, emphasis and sizes say nothing.
    (rf"^\s*{_TEXT}\s*\{{([^{{}}]*)\}}\s*$", r"\1"),
    (r"\*\*(?=\S)(.+?)(?<=\S)\*\*$", r"\1"),
    (r"^\s*\*\*", ""),
    (r"\\\$|(?<!\\)\$|[€£¥₹]|\\(?:euro|pounds?|pound)\b", ""),
    (r"\\(?:displaystyle|textstyle|limits|nolimits|[bB]ig[lr]?|left|right|mathopen|mathclose)(?![a-zA-Z])\.?", ""),
    (r"\\[dtc]frac", r"\\frac"),
    (r"\\(?:lbrace|rbrace)(?![a-zA-Z])", lambda found: r"\{" if "lb" in found.group() else r"\}"),
    (r"\\(?:lvert|rvert|vert)(?![a-zA-Z])", "|"),
    (r"\\(?:langle)(?![a-zA-Z])", "("),
    (r"\\(?:rangle)(?![a-zA-Z])", ")"),
    # Digit groups; the spaced comma of a list (1, 000) is left alone.
    (r"(?<=\d),\s*\\!\s*(?=\d{3})|(?<=\d)\{,\}(?=\d{3})|(?<=\d)\\[,!](?=\d{3})", ""),
    (r"(?<=^)(-?\d{1,3})((?: \d{3})+)(?=\.\d|\s*$)", lambda found: found[1] + found[2].replace(" ", "")),
    (r"\\!", ""),
    (r"(?<![\d.])(\d{1,9})\.(\d{0,9})\\(?:overline|bar|dot)\s*\{(\d{1,9})\}", _repeating),
    (r"(?<!\\)\\[,;: ]|\\q?quad(?![a-zA-Z])|~|\\(?:hspace|phantom)\{[^{}]*\}", " "),
    (r"\\mathbb\s*\{?\s*R\s*\}?|\\(?:Reals|reals|R)(?![a-zA-Z])", r"(-\\infty,\\infty)"),
    (r"\\varnothing(?![a-zA-Z])|\\\{\s*\\\}", r"\\emptyset "),
    (r"\\(?:dots[cbm]?|cdots|ldots)(?![a-zA-Z])", r"\\ldots "),
    # What a number counts or is measured in.
    (rf"(?<=[\d}}])\s*\\frac\s*{_ABOVE}\s*{_BELOW}", ""),
    (rf"\\frac\s*\{{\s*([^{{}}]*\d[^{{}}]*?{_IN_TEXT})\s*\}}\s*{_BELOW}", r" \1 "),
    (rf"(?<=\d)(\s*{_IN_TEXT})\s*(?:/|\\cdot|\\times)?\s*{_IN_TEXT}", r"\1"),
    (rf"{_TEXT}\s*\{{\s*({'|'.join(MAGNITUDES)})\b([^{{}}]*)\}}", r" \1\2"),
    (rf"(?<=\d)\s*({'|'.join(MAGNITUDES)})\b", _magnitude),
    (r"\\?%|\\textpercent", ""),
    (rf"\^\s*\{{?\s*\\(?:circ|degree)\s*\}}?\s*(?:[CF]\b|{_TEXT}\s*\{{\s*[CF]\s*\}})?|\\degree(?![a-zA-Z])", ""),
    (r"(?<=\d)\s*(?:k|c|d|m)?m\s*[\ue002\ue003]", ""),
    (r"(?<=[\dn])\^\s*\{?\s*(?:" + _TEXT + r"\s*\{)?\s*(?:th|st|nd|rd)\s*\}?\s*\}?(?:\s+[a-z]+)?", ""),
    (r"(?<=\d)(?:th|st|nd|rd)\b(?:\s+[a-z]+)?", ""),
    (
        rf"(?<=[\w}})!])\s*{_TEXT}\s*\{{{_KEEP}[^{{}}]*[A-Za-z][^{{}}]*\}}{_POWER}(?=\s*(?:$|[,;.)\]]|\\\}}))",
        _measured,
    ),
    (rf"(?<=\d|\}})\s*(?:{UNIT}){_POWER}\s*$", ""),
    (r"(?<=\d|\})\s+(?!(?:and|or|if|for)\b)[a-z]{4,}(?: [a-z]{2,})*\s*$", ""),
    (r"(?<=\d)\s*(?:percent|pct)\b", ""),
    # Relations.
    (r"<=|=<|\\leqq?(?:slant)?(?![a-zA-Z])|\\le(?![a-zA-Z])", "≤"),
    (r">=|\\geqq?(?:slant)?(?![a-zA-Z])|\\ge(?![a-zA-Z])", "≥"),
    (r"!=|\\neq?(?![a-zA-Z])", "≠"),
    (r"\\lt(?![a-zA-Z])", "<"),
    (r"\\gt(?![a-zA-Z])", ">"),
    (r"\\(?:approx|simeq|thickapprox)(?![a-zA-Z])", "≈"),
    # Conjunctions: of inequalities, which they join into one set, and of a list.
    (rf"(?<=[<>≤≥])([^<>≤≥,]*?),?\s*(?:{_TEXT}\s*\{{\s*(and|or)\s*\}}|\b(and|or)\b)\s*(?=[^<>≤≥,]*[<>≤≥])", _join),
    (rf",?\s*{_TEXT}\s*\{{\s*(?:and|or)\s*\}}\s*", ", "),
    (r",?\s+(?:and|or)\s+", ", "),
    (rf"{_TEXT}\s*\{{([^{{}}]*)\}}", r" \1 "),
    (r"\\(?:bm|boldsymbol|mathcal|vec|mathbf)\s*\{([^{}]*)\}", r" \1 "),
    # Operators.
    (r"\*\*", "^"),
    (r"(?<=\d)[eE]([-+]?\d{1,4})(?!\w)", r"\\cdot 10^{\1}"),
    (r"\*|\\times(?![a-zA-Z])|\\ast(?![a-zA-Z])", r"\\cdot "),
    (r"\\div(?![a-zA-Z])", "/"),
    (r"\\lg(?![a-zA-Z])", r"\\log_{10} "),
    (r"(?<=[\w}) ])\+\s*-", "-"),
    (r"(?<=\w)\s*\^\s*(-?\d+)", r"^{\1}"),
    (r"\s+", " "),
]
_RULES = [(re.compile(pattern), replacement) for pattern, replacement in _WRITTEN]


def clean(text: str) -> str:
    """Text with one notation for each thing; empty where it holds no answer. Words keep their case."""
    text = ascii_text(text)
    text = re.sub(r"^\s*\\[(\[](.*)\\[)\]]\s*$", r"\1", text, flags=re.DOTALL)
    text = _punctuation(text)
    while text.endswith("}") and text.count("}") > text.count("{"):
        text = text[:-1]
    text = _without_unit(text)
    text = reduce(lambda so_far, rule: rule[0].sub(rule[1], so_far), _RULES, text)
    return _punctuation(plain_functions(full_arguments(_punctuation(text))))


def _punctuation(text: str) -> str:
    """Without the punctuation and quotes around an answer; a leading point may belong to a decimal."""
    text = re.sub(r"[\s.,;:!?\\]+$", lambda found: "!" if found.group().startswith("!") else "", text.strip())
    if len(text) > 2 and text[0] == text[-1] and text[0] in "'\"`":
        text = text[1:-1]
    return re.sub(r"^[\s,;:]+", "", text).strip()
