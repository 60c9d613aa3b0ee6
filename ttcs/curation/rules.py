"""Rules of quality: whether a row breaks one.

The paper names ASCII art, references to images that are not there, and inconsistent numbering of questions; which
patterns it searched for it does not say. These are our own.
"""

from __future__ import annotations

import re

from ttcs.curation.row import Row

IMAGE = re.compile(
    r"!\[[^\]]*\]\([^)]+\)|<img\b|\\includegraphics|\[asy\]|\\begin\{(?:asy|tikzpicture)\}|data:image/"
    r"|https?://\S+\.(?:png|jpe?g|gif|svg|webp)\b",
    re.IGNORECASE,
)
PICTURES = "figure", "diagram", "picture", "image", "graph", "drawing", "sketch", "photo", "illustration"
_FIGURE = r"(?:figure|diagram|picture|drawing|sketch|photo|illustration)s?"  # without what is a word of mathematics too
_PICTURE = r"(?:figure|diagram|picture|image|graph|drawing|sketch|photo|illustration)s?"
REFERENCE = re.compile(
    rf"\b(?:in|from|on|see|consult|refer to|using)\s+the\s+(?:\w+\s+)?{_FIGURE}(?:\s+(?:at|to|on)\b|\s*[.,:;?)]|\s+\d)"
    rf"|\b{_PICTURE}\s+(?:above|below|shown|on\s+the\s+(?:left|right))\b"
    rf"|\b(?:above|below|accompanying|attached|adjacent)\s+{_PICTURE}\b"
    rf"|\b(?:shown|depicted|pictured|illustrated|sketched|displayed|following)\s+(?:in\s+)?(?:the\s+)?{_FIGURE}\b"
    rf"|\bthe\s+{_FIGURE}\s+shows\b"
)
DRAWING = "-|+/\\_=*#<>^~.:'`" + "".join(map(chr, range(0x2500, 0x2600)))
_STRIP = str.maketrans("", "", DRAWING + " \t")
_TABLE = re.compile(r"\s*\|?(?:\s*:?-{2,}:?\s*\|)+\s*(?::?-{2,}:?)?\s*")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\ufffd]")
MOJIBAKE = re.compile(r"Ã[\x80-\xbf©¨¢ª]|â(?:€™|€œ|\x80[\x90-\xbf])")
_TAG = r"(?:p|div|span|br|table|tr|td|th|ul|ol|li|font|sup|sub)"
HTML = re.compile(rf"</?{_TAG}(?:\s+\w+\s*=[^<>\n]*)?\s*/?>|&(?:nbsp|lt|gt|amp|quot);", re.IGNORECASE)
NUMBERED = re.compile(r"^[ \t]*(?:(?:problem|question|exercise)[ \t]+)?(\d{1,2})[.)][ \t]+\S", re.MULTILINE | re.I)
PAIRS = ("\\[", "\\]"), ("\\(", "\\)"), ("\\begin{", "\\end{"), ("\\left", "\\right")
ARROWS = re.compile(r"\\(?:left|right)(?=[a-zA-Z])")  # \leftarrow, \rightarrow: no brackets


def image(row: Row) -> bool:
    """An image, or the source of one, in the question or the answer."""
    return IMAGE.search(row.question) is not None or IMAGE.search(row.answer) is not None


def image_reference(row: Row) -> bool:
    """The question speaks of a figure, which no reader of the text can see."""
    question = row.question.lower()
    return any(word in question for word in PICTURES) and REFERENCE.search(question) is not None


def ascii_art(row: Row) -> bool:
    """Three lines running that are drawn with punctuation, in any of the texts."""
    return any(_drawn(text) for text in (row.question, row.thinking, row.answer))


def encoding(row: Row) -> bool:
    """Characters that were lost or read in another encoding."""
    texts = row.question, row.thinking, row.answer
    return any(CONTROL.search(text) or (not text.isascii() and MOJIBAKE.search(text)) for text in texts)


def html(row: Row) -> bool:
    """Mark-up that nobody rendered, in the question or the answer."""
    return HTML.search(row.question) is not None or HTML.search(row.answer) is not None


def latex(row: Row) -> bool:
    """Brackets and environments of LaTeX, or fences of code, that are not closed, in the question or the answer."""
    return any(_unbalanced(text) for text in (row.question, row.answer))


def numbering(row: Row) -> bool:
    """The question is numbered other than 1, 2, 3, ...: it was cut out of a list, or cut off in one."""
    numbers = [int(number) for number in NUMBERED.findall(row.question)]
    return numbers != list(range(1, len(numbers) + 1))


def _drawn(text: str) -> bool:
    run: list[str] = []
    for line in text.splitlines():
        left = line[:24].translate(_STRIP)  # of most lines that is enough to tell
        left = left if len(left) > 2 else line.translate(_STRIP)
        if len(left) <= 2 and len(line.split()) and len(line.strip()) - len(left) >= 2:
            run.append(line)
            if len(run) >= 3 and _picture(run):
                return True
        else:
            run = []
    return False


def _picture(lines: list[str]) -> bool:
    """Rules, tables of Markdown and rows of dots are drawn with the same characters."""
    if any(_TABLE.fullmatch(line) for line in lines):
        return False
    return sum(any(c in "/\\|+" or "─" <= c < "■" for c in line) for line in lines) >= 2


def _unbalanced(text: str) -> bool:
    if text.count("```") % 2:
        return True
    if "\\" not in text:
        return False
    plain = ARROWS.sub("", text.replace("\\\\", ""))
    return any(plain.count(opened) != plain.count(closed) for opened, closed in PAIRS)
