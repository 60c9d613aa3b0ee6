"""Find the final answer in the text of a solution."""

import re

from ttcs.answers.braces import closing

_BOX = re.compile(r"\\(?:boxed|fbox)(?![a-zA-Z])\s*(?:(?P<brace>\{)|(?P<bare>[-+]?\d[\d.,/]*|[A-Za-z](?![A-Za-z_])))")
_TAG = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)
_HASHES = re.compile(r"^#### *(\S.*)$", re.MULTILINE)
_NOISE = re.compile(r"<\|.*?\|>.*|I hope (?:it|this) is correct.*", re.DOTALL)
_FINAL_IS = re.compile(r"final answer is\s*:?(?!\w)", re.IGNORECASE)
_LABEL = re.compile(r"(?:final )?answer\W{0,4}[:：]|(?<![a-z])answer is\s*:?(?!\w)|答案(?:是|为|[:：])", re.IGNORECASE)
_CONCLUSION = re.compile(r"\b(?:Therefore|Thus|Hence|So|We conclude)\b|^(?:therefore|thus|hence|so)\b", re.MULTILINE)
_SENTENCE_END = re.compile(r"\n|[.。!?](?=\s|$)")
_DELIMITED = re.compile(r"\$\$(.+?)\$\$|\$([^$]+)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
_VERB = re.compile(r"\b(?:is|are|equals)\b")


def extract(text: str) -> str | None:
    r"""The final answer of a solution, as it is written there; None where there is none.

    The last \boxed{...} or \fbox{...} counts, whatever follows it; a box that is empty or cut off is passed over.
    Without a box: the last <answer> tag, "final answer is", "Answer:" or "the answer is", "####" (GSM8K), and at last
    the end of a concluding sentence ("Therefore ... is 3.").
    """
    boxed = _last_box(text)
    if boxed is not None:
        return boxed
    if tags := _TAG.findall(text):
        return _tidy(tags[-1])
    text = _NOISE.sub("", text)
    for label in (_FINAL_IS, _LABEL):
        if found := list(label.finditer(text)):
            return _labelled(text[found[-1].end() :])
    if lines := _HASHES.findall(text):
        return _tidy(lines[-1])
    return _concluded(text)


def _last_box(text: str) -> str | None:
    for box in reversed(list(_BOX.finditer(text))):
        end = closing(text, box.end() - 1) if box["brace"] else box.end()
        content = text[box.end() : end] if box["brace"] and end is not None else box["bare"]
        answer = _tidy(content or "") if end is not None else None
        if answer is not None:
            return answer
    return None


def _labelled(rest: str) -> str | None:
    """The answer that follows a label: formula first ("$x = 3$."), else the rest of the sentence after its verb."""
    rest = re.sub(r"^[\s*_:]+", "", rest)
    sentence = rest[: end.start()] if (end := _SENTENCE_END.search(rest)) else rest
    if verbs := list(_VERB.finditer(sentence)):
        rest = rest[verbs[-1].end() :].lstrip(" :*")
        sentence = sentence[verbs[-1].end() :]
    if (formula := _DELIMITED.match(rest)) is not None:
        return _tidy(next(group for group in formula.groups() if group is not None))
    return _tidy(sentence)


def _concluded(text: str) -> str | None:
    starts = list(_CONCLUSION.finditer(text))
    if not starts or not (verbs := list(_VERB.finditer(text, starts[-1].end()))):
        return None
    answer = _labelled(text[verbs[-1].end() :])
    # Prose that merely ends in "is ..." is no answer: ask for a number or a formula.
    return answer if answer and len(answer) < 80 and re.search(r"\d|\\", answer) else None


def _tidy(answer: str) -> str | None:
    r"""Without surrounding space, emphasis, math delimiters and the full stop; None where nothing is left."""
    answer = answer.strip().strip("*_").strip()
    if (whole := _DELIMITED.fullmatch(answer.rstrip("."))) is not None:
        answer = next(group for group in whole.groups() if group is not None).strip()
    answer = answer[:-1] if answer.endswith((".", "。")) else answer
    return answer.strip().strip("*").strip() or None
