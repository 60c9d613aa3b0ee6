"""Unicode mathematics as TeX."""

import re
import unicodedata

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿ", "0123456789+-()n")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_SYMBOLS = {
    "−": "-", "–": "-", "—": "-", "×": r"\times ", "÷": "/", "∕": "/", "⁄": "/",
    "·": r"\cdot ", "⋅": r"\cdot ", "∙": r"\cdot ",
    "√": r"\sqrt ", "∛": r"\sqrt[3] ", "∞": r"\infty ", "°": r"^\circ ", "º": r"^\circ ", "≤": r"\le ", "⩽": r"\le ",
    "≥": r"\ge ", "⩾": r"\ge ", "≠": r"\ne ", "≈": r"\approx ", "±": r"\pm ", "∓": r"\mp ", "∈": r"\in ", "∪": r"\cup ",
    "∩": r"\cap ", "∖": r"\setminus ", "∅": r"\emptyset ", "ℝ": r"\mathbb{R}", "…": r"\ldots ",
    "′": "'", "“": '"', "”": '"', "∠": r"\angle ",
    "½": r"\frac{1}{2}", "⅓": r"\frac{1}{3}", "⅔": r"\frac{2}{3}", "¼": r"\frac{1}{4}", "¾": r"\frac{3}{4}",
    "⅛": r"\frac{1}{8}", "⟨": r"\langle ", "⟩": r"\rangle ",
}  # fmt: skip
_GREEK = {
    letter: rf"\{name} "
    for letter, name in zip(
        "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ",
        [
            "alpha",
            "beta",
            "gamma",
            "delta",
            "epsilon",
            "zeta",
            "eta",
            "theta",
            "iota",
            "kappa",
            "lambda",
            "mu",
            "nu",
            "xi",
            "pi",
            "rho",
            "sigma",
            "tau",
            "upsilon",
            "phi",
            "chi",
            "psi",
            "omega",
            "Gamma",
            "Delta",
            "Theta",
            "Lambda",
            "Xi",
            "Pi",
            "Sigma",
            "Phi",
            "Psi",
            "Omega",
        ],
        strict=True,
    )
}
_UNICODE = str.maketrans(_SYMBOLS | _GREEK)
# Characters without width: spaces, joiners, invisible operators, marks of direction and of byte order, soft hyphens.
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
_UNIT_POWERS = {"²": "\ue002", "³": "\ue003"}


def visible(text: str) -> str:
    """Text without the characters that are not seen."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def ascii_text(text: str) -> str:
    """Text in TeX commands and compatible ASCII. The power of a unit (m²) is kept apart, as U+E002 and U+E003."""
    text = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ]+", _superscript, visible(text))
    text = re.sub(r"[₀₁₂₃₄₅₆₇₈₉]+", lambda found: f"_{{{found.group().translate(_SUBSCRIPTS)}}}", text)
    text = re.sub(r"√(\d+(?:\.\d+)?)", r"\\sqrt{\1}", text).translate(_UNICODE)
    return unicodedata.normalize("NFKC", text)


def _superscript(found: re.Match[str]) -> str:
    if found.group() in _UNIT_POWERS and re.search(r"\d\s*[kcdm]?m$", found.string[: found.start()]):
        return _UNIT_POWERS[found.group()]
    return f"^{{{found.group().translate(_SUPERSCRIPTS)}}}"
