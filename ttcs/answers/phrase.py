"""The answer that a phrase of prose begins with: "42, which is even" -> "42", "$1$ and $2$." -> "1 and 2"."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ttcs.answers.clean import MAGNITUDES, UNIT
from ttcs.answers.tidy import balanced, formulas, tidy

LONGEST = 2000  # characters of a sentence that are read; no answer is longer
_END = re.compile(
    r"\n|[.。?？](?=[*_\"'`)\]}$]*(?:\s|$))|!(?=[*_\"')}$]*(?:\s*$|\s+[A-Z]))|(?<=[\d\ue100-\uf8ff])(?:\s*[，；、]?\s*(?=[\u4e00-\u9fff])|—\s*(?=[A-Za-z]))"
)
_FORMULA = "\ue100"  # and the characters after it stand for the formulas of a sentence
_MOST_FORMULAS = 1000
_FILLER = re.compile(
    r"(?:(?:therefore|thus|hence|then|so|now|simply|just|exactly|precisely|indeed|actually|clearly|also|always|only|"
    r"approximately|about|roughly|around|equal to|given by|as follows|the following|either|both|still|that|namely|"
    r"(?:the |an? )?(?:(?:final|correct|exact|ordered|open|closed|single|real) )*(?:number|value|option|choice|answer|"
    r"letter|interval|pair|triple|point|set|fraction|integer|matrix|vector|expression|function|polynomial|ratio)s?)"
    r"(?![\w'-])[\s,:]*)+",
    re.IGNORECASE,
)
_OPERATOR = re.compile(r"[-+*/=<>≤≥≠≈^:×÷·±∓∪∩∈|&–—−→]+")
_COMMAND = re.compile(r"\\[A-Za-z]+")
_NAMES = (
    "sin cos tan cot sec csc arcsin arccos arctan log ln exp sqrt cbrt pi max min gcd lcm mod inf infinity oo theta "
    "alpha beta phi frac and or"
)
_KNOWN = frozenset(_NAMES.split())
_COUNTED = re.compile(rf"(?:{UNIT}|[ap]\.?m\.?|dozen|{'|'.join(MAGNITUDES)})", re.IGNORECASE)
_ABBREVIATED = re.compile(r"\(?(?:i\.?e|e\.?g)\b")
_GOES_ON = re.compile(
    r"(?:squared|cubed|factorial|over|divided|times|plus|minus|multiplied|choose|more|less|fewer|greater|higher|lower)\b"
)
_AFTER_LETTER = re.compile(r"(?:because|since|as|which|so|for|is|where|with)\b")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sentence from its start. The formulas in it are single characters, so that none is taken apart.

    words: divided at space. contents: what the formulas hold.
    """

    words: Sequence[str]
    contents: Sequence[str]

    def written(self, words: Sequence[str]) -> str | None:
        """The words as an answer, formulas without their delimiters."""
        text = " ".join(words)
        for place, content in enumerate(self.contents):
            text = text.replace(chr(ord(_FORMULA) + place), content.strip())
        return tidy(balanced(tidy(text) or ""))


def phrase(text: str) -> Phrase:
    """The first sentence of a text."""
    protected, contents, position = "", list[str](), 0
    text = text[:LONGEST]
    for start, end, content in formulas(text):
        protected += text[position:start] + chr(ord(_FORMULA) + len(contents))
        contents.append(content)
        position = end
    protected += text[position:]
    ended = _END.search(protected)
    return Phrase(protected[: ended.start() if ended else None].split(), contents)


def leading(text: str) -> str | None:
    """The answer that a text begins with: numbers, formulas, letters of options, a list of them; None where it begins
    with prose.
    """
    sentence = phrase(start(text))
    length = _length(sentence.words)
    return sentence.written(sentence.words[:length]) if length else None


def whole(text: str) -> str | None:
    """As `leading`, and None where anything but an answer follows."""
    sentence = phrase(start(text))
    length = _length(sentence.words)
    return sentence.written(sentence.words) if length and length == len(sentence.words) else None


def start(text: str) -> str:
    """A text from where its answer may begin."""
    text = re.sub(r"^[\s*_:：>}\]]+", "", text)
    return text[filler.end() :] if (filler := _FILLER.match(text)) else text


def _length(words: Sequence[str]) -> int:
    """How many words belong to the answer."""
    count, depth = 0, 0
    while count < len(words) and (depth > 0 or _goes_on(words, count)):
        depth = max(0, depth + _opened(words[count]))
        count += 1
    if count < len(words) and _GOES_ON.match(words[count]):
        return 0
    while count and _joins(words[count - 1]):
        count -= 1
    return count if any(_is_value(word) for word in words[:count]) else 0


def _goes_on(words: Sequence[str], place: int) -> bool:
    word, following = words[place], words[place + 1 : place + 2]
    if place == 0:
        return (_is_value(word) and not _is_article(word, following)) or bool(_OPERATOR.fullmatch(word))
    before = words[place - 1]
    if _joins(before) or _COMMAND.fullmatch(before) or before.endswith((",", ";")):
        return (_is_value(word) and not _is_article(word, following)) or _joins(word)
    if word.startswith("("):
        return _is_factor(" ".join(words[place:]))
    return _is_value(word) or _joins(word) or _COUNTED.fullmatch(word.strip(".,;*_")) is not None


def _opened(word: str) -> int:
    return sum(character in "({[" for character in word) - sum(character in ")}]" for character in word)


def _joins(word: str) -> bool:
    return word.strip("*_,;") in ("", "and", "or", "&") or _OPERATOR.fullmatch(word) is not None


def _is_value(word: str) -> bool:
    """Whether a word is mathematics: with a digit or a command in it, or with no letters but single ones and names of
    functions.
    """
    bare = word.strip("*_,;:.\"'`!?")
    if not bare or _OPERATOR.fullmatch(bare) or _ABBREVIATED.match(bare) or bare in ("and", "or", "&"):
        return False
    if re.search(r"\d|\\|[\ue100-\uf8ff]", bare):
        return True
    runs = re.findall(r"[^\W\d_]+", _COMMAND.sub("", bare))
    return all(len(run) == 1 or run in _KNOWN for run in runs)


def _is_article(word: str, following: Sequence[str]) -> bool:
    """Whether "a", "A" or "I" is a word of its own rather than an unknown or an option."""
    if word not in ("a", "A", "I") or not following:
        return False
    after = following[0]
    prose = not (_is_value(after) or _joins(after))
    return prose and (word == "a" or _AFTER_LETTER.match(after) is None)


def _is_factor(text: str) -> bool:
    """Whether what stands in brackets after an answer multiplies it (x (x + 1)), or is what it is modulo, rather than
    a remark: another way of writing it, the letter of its option, a sentence.
    """
    inside = text[1:].partition(")")[0]
    if inside.startswith(("mod ", "\\mod", "\\bmod")):
        return True
    mathematics = all(_is_value(word) or _OPERATOR.fullmatch(word) for word in inside.split())
    return mathematics and "=" not in inside and re.search(r"[a-z]|\\", inside) is not None
