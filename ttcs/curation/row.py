"""The nouns of curation: rows with a trace, the entries that stand for them in an index, and why one was dropped."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

FILED = "id", "question", "thinking", "answer", "reference", "domain", "source", "length"
WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Row:
    """A question, a reasoning trace and the solution attempted after it.

    thinking, answer: "" where there is none. reference: the right final answer; None: not known. source: the name of
    where it comes from; ids are unique within it. error: what the source says went wrong with the generation. solved:
    names of the columns that say that a model has solved it. length: of the trace, once a stage has measured it.
    """

    id: str
    question: str
    thinking: str
    answer: str
    reference: str | None
    domain: str | None
    source: str
    error: str | None = None
    solved: Sequence[str] = ()
    length: int | None = None

    @property
    def key(self) -> str:
        return f"{self.source}/{self.id}"

    def to_json(self) -> str:
        return json.dumps({name: getattr(self, name) for name in self.__slots__}, ensure_ascii=False)

    def filed(self) -> str:
        """The line of the data set."""
        return json.dumps({name: getattr(self, name) for name in FILED}, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Drop:
    """Why a row does not go on."""

    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What stages that compare rows see of each: everything but its texts.

    number: of the row in the order of the sources. question: a digest of its `spelling`. characters: of the
    trace. stage, reason: where it was dropped and why; None: it goes on.
    """

    number: int
    key: str
    source: str
    question: str
    domain: str | None
    length: int | None
    characters: int
    stage: str | None = None
    reason: str | None = None

    @classmethod
    def of(cls, number: int, row: Row, stage: str | None = None, reason: str | None = None) -> Entry:
        question = digest(spelling(row.question))
        return cls(number, row.key, row.source, question, row.domain, row.length, len(row.thinking), stage, reason)

    def to_json(self) -> str:
        return json.dumps({name: getattr(self, name) for name in self.__slots__}, ensure_ascii=False)


@lru_cache(maxsize=4)  # several stages ask for those of one question
def words(text: str) -> tuple[str, ...]:
    """Runs of letters and digits in lower case: what two spellings of one question have in common."""
    return tuple(WORD.findall(text.lower()))


def spelling(question: str) -> str:
    """What stays of a question whatever its case, spaces, dollars and marks at the end: 1 + 2 and 1 - 2 differ."""
    return "".join(question.lower().replace("$", "").split()).rstrip(".?!")


def digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=12).hexdigest()
