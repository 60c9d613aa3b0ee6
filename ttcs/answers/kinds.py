"""What counts as the answer of a solution, and which answers are the same: mathematics, text, or neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol
from unicodedata import normalize

from ttcs.answers.choice import chosen
from ttcs.answers.extraction import extract
from ttcs.answers.grouping import equivalent, group


class Answering(Protocol):
    """graded: whether an answer can be compared with a reference at all."""

    graded: ClassVar[bool]

    def read(self, solution: str, options: Sequence[str]) -> str | None:
        """The answer of a finished solution; None: it has none. options: those of multiple choice, where it is one."""
        ...

    def group(self, answers: Sequence[str | None]) -> list[int | None]:
        """A group number for each, in order of first sight: of those that vote together. None: it never votes."""
        ...

    def same(self, answer: str, reference: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Mathematics:
    """The final answer, in a box or a phrase, compared by what it means: 1/2 is 0.5."""

    graded: ClassVar[bool] = True

    def read(self, solution: str, options: Sequence[str]) -> str | None:
        found = extract(solution)
        return chosen(found, options) if found is not None and options else found

    def group(self, answers: Sequence[str | None]) -> list[int | None]:
        return group(answers)

    def same(self, answer: str, reference: str) -> bool:
        return equivalent(answer, reference)


@dataclass(frozen=True, slots=True)
class Text:
    """The text of the solution, compared letter by letter; of multiple choice the letter of the option it names.

    Any white space is one space, none at the ends, and accents are parts of their letters (NFC). behind: what stands
    behind the last one of these in the solution (None: all of it); without one there is no answer. case: whether
    capitals and small letters differ.
    """

    behind: str | None = None
    case: bool = False

    graded: ClassVar[bool] = True

    def read(self, solution: str, options: Sequence[str]) -> str | None:
        _, marked, found = ("", "all", solution) if self.behind is None else solution.rpartition(self.behind)
        text = _plain(found) if marked else ""
        return (chosen(text, options) if options else text) or None

    def group(self, answers: Sequence[str | None]) -> list[int | None]:
        numbers: dict[str, int] = {}
        return [None if one is None else numbers.setdefault(self._key(one), len(numbers)) for one in answers]

    def same(self, answer: str, reference: str) -> bool:
        return self._key(answer) == self._key(reference)

    def _key(self, text: str) -> str:
        return _plain(text) if self.case else _plain(text.casefold())


@dataclass(frozen=True, slots=True)
class Whole:
    """Every solution is an answer of its own, whatever it says: nothing to vote on, and nothing to grade."""

    graded: ClassVar[bool] = False

    def read(self, solution: str, options: Sequence[str]) -> str | None:
        return solution.strip() or None

    def group(self, answers: Sequence[str | None]) -> list[int | None]:
        found = [i for i, one in enumerate(answers) if one is not None]
        place = {i: number for number, i in enumerate(found)}
        return [place.get(i) for i in range(len(answers))]

    def same(self, answer: str, reference: str) -> bool:
        return False


MATHEMATICS = Mathematics()


def _plain(text: str) -> str:
    return " ".join(normalize("NFC", text).split())
