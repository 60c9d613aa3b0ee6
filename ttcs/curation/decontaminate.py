"""Drops questions that share words with a test set: word 8-grams in s1 (Muennighoff et al., 2025, section 2.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ttcs.core import Problem
from ttcs.curation.row import Drop, Row, spelling, words
from ttcs.errors import UserError
from ttcs.problems.columns import stem


@dataclass(frozen=True, slots=True)
class Decontaminate:
    """A row is dropped where its question has n words running in common with a question of a test set.

    Words are runs of letters and digits in lower case. Test questions of fewer than n words must match as a whole, by
    their `spelling`. grams, short: n words running, and whole short questions, -> the test set that they are from.
    """

    n: int
    grams: Mapping[str, str]
    short: Mapping[str, str]

    def judge(self, row: Row) -> Row | Drop:
        found = next((self.grams[gram] for gram in ngrams(row.question, self.n) if gram in self.grams), None)
        found = found or self.short.get(spelling(row.question))
        return row if found is None else Drop(f"in {found}")


def against(tests: Mapping[str, Sequence[Problem]], n: int) -> Decontaminate:
    """tests: name -> problems of a test set, of any `dataset` option."""
    if n < 1:
        raise UserError(f"decontaminate.n={n} is not a positive whole number")
    if not tests:
        raise UserError("decontaminate.tests names no test set")
    grams: dict[str, str] = {}
    short: dict[str, str] = {}
    for name, problems in tests.items():
        for problem in problems:
            question = stem(problem)  # how options are listed is alike in many questions
            own = dict.fromkeys(ngrams(question, n), name)
            grams |= own
            if not own:
                short[spelling(question)] = name
    return Decontaminate(n, grams, short)


def ngrams(question: str, n: int) -> Iterator[str]:
    """Every n words running; none where there are fewer."""
    own = words(question)
    return (" ".join(own[i : i + n]) for i in range(len(own) - n + 1))
