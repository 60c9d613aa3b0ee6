"""Which answers are the same: of two, and among many."""

from collections.abc import Sequence
from functools import lru_cache

from ttcs.answers.canonical import UNREAD, as_text, canonical
from ttcs.answers.form import Form, Undecided
from ttcs.answers.process import shared
from ttcs.answers.scalar import Plain

_LIMIT = 2.0  # seconds of processor time for one answer
_LONGEST = 2000  # characters; no answer is longer, and a runaway generation is compared as text
_PLAIN = Plain()
_WORKER = shared(_LIMIT)


@lru_cache(maxsize=65536)
def form(answer: str) -> Form:
    """The canonical form of an answer. What is no mathematics, or takes too long, has its normalised text for one."""
    if len(answer) > _LONGEST:
        return as_text(answer)
    try:
        return canonical(answer, _PLAIN)
    except (Undecided, RecursionError):
        return _WORKER.ask(answer) or as_text(answer)


def equivalent(a: str, b: str) -> bool:
    """Whether two answers are the same: numbers, expressions, equations up to a factor, sets in any order, words.

    Symmetrical. A blank answer is equivalent to nothing. No call takes five seconds on a processor of its own.
    """
    one = form(a)
    # What is compared as text equals text only, and reading the other might be a second wait until time runs out.
    other = as_text(b) if one.key.startswith(UNREAD) else form(b)
    return one.key != "" and one.equals(other)


def group(answers: Sequence[str | None]) -> list[int | None]:
    """A group number for each answer, in order of first sight; None for no answer, so that it never votes.

    Groups are the transitive closure of `equivalent`. Every distinct answer is parsed once, and none is compared with
    another.
    """
    forms = {answer: form(answer) for answer in dict.fromkeys(answers) if answer is not None}
    leader = _leaders(list(forms.values()))
    numbers: dict[str, int] = {}
    number = {
        answer: numbers.setdefault(leader.get(each.key, each.key), len(numbers))
        for answer, each in forms.items()
        if each.key
    }
    return [None if answer is None else number.get(answer) for answer in answers]


def _leaders(forms: list[Form]) -> dict[str, str]:
    """For each key that is linked to another as its reading: the one key that stands for all it is linked to."""
    keys = {each.key for each in forms}
    links = [(each.key, reading) for each in forms for reading in each.readings if reading in keys]
    leader = {key: key for link in links for key in link}
    for one, other in links:
        old, new = leader[one], leader[other]
        leader = {key: new if value == old else value for key, value in leader.items()}
    return leader
