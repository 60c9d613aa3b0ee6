"""Find the final answer in the text of a solution."""

import re

from ttcs.answers.boxes import boxed
from ttcs.answers.prose import concluded, labelled
from ttcs.answers.symbols import visible
from ttcs.answers.tidy import tidy

_TAGGED = re.compile(r"<answer>", re.IGNORECASE)
_TAG_END = re.compile(r"</answer>", re.IGNORECASE)
_HASHES = re.compile(r"^####[ \t]*(\S.*)$", re.MULTILINE)
_SPECIAL = re.compile(r"<[|｜][^<>|｜]{0,60}[|｜]>")
_HOPE = re.compile(r"\bI hope\b[^.!\n]{0,60}?\b(?:correct|right|helps?|clear)\b", re.IGNORECASE)


def extract(text: str) -> str | None:
    r"""The final answer of a solution, as it is written there; None where there is none.

    The last \boxed{...} or \fbox{...} counts, whatever follows it, and with it those that it makes one list with; a box
    that is empty or cut off is passed over. Without a box: the last <answer> tag, "final answer is", "Answer:", "the
    answer is" or "... is the answer", "####" (GSM8K), and at last the end of a concluding sentence ("Therefore ... is
    3.").
    """
    text = visible(text)
    if (answer := boxed(text)) is not None:
        return answer
    if (tag := _tagged(text)) is not None:
        return tidy(tag)
    text = _ended(text)
    if (answer := labelled(text)) is not None:
        return answer
    if lines := _HASHES.findall(text):
        return tidy(lines[-1])
    return concluded(text)


def _tagged(text: str) -> str | None:
    """What is in the last tag that was closed."""
    ends = list(_TAG_END.finditer(text))
    starts = list(_TAGGED.finditer(text, 0, ends[-1].start())) if ends else []
    return text[starts[-1].end() : ends[-1].start()] if starts else None


def _ended(text: str) -> str:
    """Up to a special token, or to the hope that it is correct: what follows belongs to another question."""
    ends = [found.start() for found in (_SPECIAL.search(text), _HOPE.search(text)) if found is not None]
    return text[: min(ends, default=None)]
