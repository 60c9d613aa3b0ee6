"""The final answer in prose: after a label ("the answer is"), before one ("... is the answer"), or concluded."""

import re
from collections.abc import Iterator

from ttcs.answers.phrase import LONGEST, leading, phrase, start, whole

_MOST = 40  # labels, from the last on: an answer given so often has been given before
_FEW = 6  # words of an answer that is no mathematics; more are a sentence about it
_IS = (
    r"(?:is|are|was|were|equals?|becomes?|(?:would|will|must|should|can only) be|comes? (?:out )?to|turns out to be)"
    r"(?!\w)\s*:?"
)
_FINAL_IS = re.compile(rf"final answers? {_IS}", re.IGNORECASE)
_LABEL = re.compile(
    rf"(?:final )?(?<![a-z])ans(?:wers?)?\W{{0,4}}?(?:[:：]|=+>?|->|→|⇒)(?!=)"
    rf"|(?<![a-z])answers?(?: (?:to|for|of|in|we|i|you)\b[^.\n:$]{{0,80}}?)?\s+{_IS}"
    rf"|^\W*(?:the )?(?:final )?answers?(?:[^\w\n]*$|\s*[-–—]\s+)"
    rf"|(?:correct|right|best) (?:option|choice|alternative)\s*(?:{_IS}|:)"
    r"|答案(?:是|为|[:：])",
    re.IGNORECASE | re.MULTILINE,
)
_CALLED = re.compile(
    r"\b(?:is|are)\s+(?:(?:therefore|thus|hence|indeed|clearly|also)\s+)?(?:(?:the|our|my)\s+)?"
    r"(?:(?:only|final|correct|right|best|true|desired|required)\s+){0,3}(?:answers?|option|choice)\b(?!:)"
    r"|\bis\s+(?:therefore\s+|thus\s+|indeed\s+)?(?:the\s+)?(?:correct|right)(?=\s*(?:[^\w\s]|$|\n)|\s+(?:because|since|as|and|here)\b)",
    re.IGNORECASE,
)
_QUESTION_AND_ANSWER = re.compile(r"^\W{0,3}A\s*[:：]", re.MULTILINE)
_OPTION = re.compile(r"^\W{0,3}B\s*[:：.)]", re.MULTILINE)
_THEN = r"(?:therefore|thus|hence|so|consequently|finally|then|and|we conclude that|it follows that)"
_CONCLUSION = re.compile(r"\b(?:Therefore|Thus|Hence|So|We conclude)\b|^(?:therefore|thus|hence|so)\b", re.MULTILINE)
_CONCLUDING = re.compile(rf"^\W*(?:{_THEN}\b[\s,:*]*)+", re.IGNORECASE)
_VERB = re.compile(r"\b(?:is|are|equals|(?:would|will|must) be)\b")
_CLAUSE = re.compile(
    r",?\s+(?:which|since|because)\b|,\s+(?:as|so|where|when|while|but|meaning|making|giving|thus|hence|therefore|given|"
    r"and (?:so|this|that|it|the))\b"
)
_SENTENCE_END = re.compile(r"\n|(?<!\\)[.。!?？](?=\s|$)")
_VAGUE = re.compile(
    r"\W*(?:(?:also|indeed|always|thus|therefore|both|clearly|quite)\s+)*(?:correct|right|wrong|incorrect|reasonable|"
    r"valid|invalid|consistent|clear|obvious|unique|verified|confirmed|simple|easy|below|above|here|as follows|"
    r"as above|complete|accurate|fine|ok|okay|not\s+(?:the|correct|right))(?!\w)|\W*not\s+[\d$\\-]",
    re.IGNORECASE,
)


def labelled(text: str) -> str | None:
    """The answer by the last label that has one. "Final answer is" goes before all others."""
    for label in (_FINAL_IS, _LABEL):
        if label.search(text) and (answer := _last(text, label)) is not None:
            return answer
    found = list(_QUESTION_AND_ANSWER.finditer(text))
    return _last(text, _LABEL) if not found or _OPTION.search(text) else leading(text[found[-1].end() :])


def _last(text: str, label: re.Pattern[str]) -> str | None:
    found = sorted([*label.finditer(text), *_CALLED.finditer(text)], key=lambda one: one.start())
    described: str | None = None
    for one in found[: -_MOST - 1 : -1]:
        answer = _subject(text, one.start()) if one.re is _CALLED else _told(text[one.end() : one.end() + LONGEST])
        if answer is None or (_VAGUE.match(answer) and not one.group().rstrip("* ").endswith((":", "：", "="))):
            continue  # "the answer is correct" gives none
        if len(answer.split()) <= _FEW or re.search(r"\d|\\", answer):
            return answer
        described = described or answer
    return described


def _told(rest: str) -> str | None:
    """The answer that a text tells: what it begins with, else what follows the last verb of its first sentence."""
    if (answer := leading(rest)) is not None:
        return answer
    sentence = _clauseless(start(rest))
    verbs = list(_VERB.finditer(sentence))
    for verb in reversed(verbs):
        if (answer := leading(sentence[verb.end() :])) is not None:
            return answer
    said = phrase(sentence[verbs[-1].end() :] if verbs else sentence)
    return said.written(said.words)


def _clauseless(text: str) -> str:
    """The first sentence of a text without the clause that explains its end."""
    sentence = phrase(text)
    words = " ".join(sentence.words)
    clause = _CLAUSE.search(words)
    kept = words[: clause.start() if clause else None]
    for place, content in enumerate(sentence.contents):
        kept = kept.replace(chr(0xE100 + place), f"${content}$")
    return kept


def _subject(text: str, end: int) -> str | None:
    """The answer that stands before "is the answer" in its sentence."""
    before = text[max(0, end - 300) : end]
    ends = list(_SENTENCE_END.finditer(before))
    return whole(_CONCLUDING.sub("", before[ends[-1].end() if ends else 0 :]))


def concluded(text: str) -> str | None:
    """The end of a concluding sentence ("Therefore ... is 3."), or of the last after it that ends so."""
    conclusions = list(_CONCLUSION.finditer(text))
    if not conclusions:
        return None
    for sentence in _sentences_backwards(text[conclusions[-1].start() :][-4 * LONGEST :]):
        answer = _end(sentence)
        # Prose that merely ends in "is ..." is no answer: ask for a number or a formula.
        if answer and len(answer) < 80 and re.search(r"\d|\\", answer):
            return answer
    return None


def _sentences_backwards(text: str) -> Iterator[str]:
    starts = [0, *(end.end() for end in _SENTENCE_END.finditer(text))]
    for begin in starts[:-_MOST:-1]:
        yield text[begin : begin + LONGEST]


def _end(sentence: str) -> str | None:
    plain = _clauseless(sentence)
    for verb in reversed(list(_VERB.finditer(plain))):
        if (answer := leading(plain[verb.end() :])) is not None:
            return answer
    return whole(_CONCLUDING.sub("", plain)) if "=" in plain else None
