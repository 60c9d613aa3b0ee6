r"""TeX as people write it, brought to TeX as parsers read it: \frac12 -> \frac{1}{2}, sqrt(2) -> \sqrt{2}."""

import re

from ttcs.answers.braces import closing, matching

_ARGUMENTS = {"frac": 2, "binom": 2, "dbinom": 2, "tbinom": 2, "sqrt": 1}
_DEEPEST = 50
_COMMAND = re.compile(r"\\(frac|[dt]?binom|sqrt)(?![a-zA-Z])\s*")
_INDEX = re.compile(r"\[([^\[\]]*)\]\s*")
_TOKEN = re.compile(r"\\[a-zA-Z]+|\S")
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_NAMES = r"arcsin|arccos|arctan|sinh|cosh|tanh|sin|cos|tan|cot|sec|csc|log|ln|exp|gcd|lcm|max|min"
_FUNCTION = re.compile(rf"(?<![a-zA-Z\\])({_NAMES})(?![a-zA-Z])")
_CONSTANT = re.compile(r"(?<![a-zA-Z\\])(?:(pi)|(infinity|inf|oo)|(theta|alpha|beta|phi))(?![a-zA-Z])")
_CALL = re.compile(r"(?<![a-zA-Z\\])\\?(sqrt|cbrt)\s*(?=\()|(\^)\s*(?=\()")


def full_arguments(text: str, depth: int = 0) -> str:
    """Put the arguments of fractions, roots and binomials in braces, down to a depth that no answer needs."""
    written, position = "", 0
    while depth < _DEEPEST and (command := _COMMAND.search(text, position)) is not None:
        name = command.group(1)
        index = _INDEX.match(text, command.end()) if name == "sqrt" else None
        written += text[position : command.start()] + "\\" + name.removeprefix("d").removeprefix("t")
        written += f"[{index.group(1)}]" if index else ""
        position = index.end() if index else command.end()
        for _ in range(_ARGUMENTS[name]):
            argument, position = _argument(text, position, name == "sqrt")
            written += "{" + full_arguments(argument, depth + 1) + "}"
    return written + text[position:]


def _argument(text: str, position: int, roots: bool) -> tuple[str, int]:
    """The argument at a position and where it ends. TeX takes one digit (\\frac12); under a root all are meant."""
    while position < len(text) and text[position].isspace():
        position += 1
    if position < len(text) and text[position] == "{" and (end := closing(text, position)) is not None:
        return text[position + 1 : end], end + 1
    if roots and position < len(text) and text[position] == "(" and (end := matching(text, position)) is not None:
        return text[position + 1 : end - 1], end
    token = (_DIGITS.match(text, position) if roots else None) or _TOKEN.match(text, position)
    return (token.group(), token.end()) if token else ("", position)


def plain_functions(text: str) -> str:
    """Names and calls of plain notation (pi, exp(2), cbrt(x), 2^(1/3)) as TeX commands."""
    text = _CONSTANT.sub(lambda found: r"\pi " if found[1] else r"\infty " if found[2] else rf"\{found[3]} ", text)
    text = _FUNCTION.sub(r"\\\1 ", text)
    while (call := _CALL.search(text)) is not None and (end := matching(text, call.end())) is not None:
        head = {"sqrt": r"\sqrt", "cbrt": r"\sqrt[3]"}.get(call.group(1) or "", "^")
        text = text[: call.start()] + head + "{" + text[call.end() + 1 : end - 1] + "}" + text[end:]
    return text
