"""What field a question is of: as its source says, by keywords, or as a model says. A domain that is given stays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ttcs.curation.row import Drop, Row, words
from ttcs.errors import UserError

LONGEST = 3  # words of a keyword


@dataclass(frozen=True, slots=True)
class GivenDomain:
    """otherwise: the domain of rows that have none; None: they are dropped."""

    otherwise: str | None

    def judge(self, row: Row) -> Row | Drop:
        return labelled(row, None, self.otherwise)


@dataclass(frozen=True, slots=True)
class KeywordDomain:
    """The domain most of whose keywords stand in the question; ties go to the first one.

    keywords: domain -> words or phrases of up to three words, in any case; a plural in s counts as the word.
    otherwise: see `GivenDomain`.
    """

    keywords: Mapping[str, Sequence[str]]
    otherwise: str | None
    _domains: Mapping[str, tuple[str, ...]] = field(init=False, repr=False)  # by keyword
    _begin: frozenset[str] = field(init=False, repr=False)  # first words of keywords

    def __post_init__(self) -> None:
        domains: dict[str, tuple[str, ...]] = {}
        for domain, keywords in self.keywords.items():
            for keyword in {" ".join(_stems(keyword)) for keyword in keywords}:
                if keyword.count(" ") >= LONGEST:
                    raise UserError(f"domain.keywords: {keyword} has more than {LONGEST} words")
                domains[keyword] = (*domains.get(keyword, ()), domain)
        object.__setattr__(self, "_domains", domains)
        object.__setattr__(self, "_begin", frozenset(keyword.partition(" ")[0] for keyword in domains))

    def judge(self, row: Row) -> Row | Drop:
        if row.domain is not None:
            return row
        stems = _stems(row.question)
        begun = [i for i, stem in enumerate(stems) if stem in self._begin]
        phrases = {" ".join(stems[i : i + n]) for i in begun for n in range(1, LONGEST + 1)}
        hits = Counter(domain for phrase in phrases & self._domains.keys() for domain in self._domains[phrase])
        best = max(self.keywords, key=lambda domain: hits[domain], default=None)
        return labelled(row, best if best is not None and hits[best] else None, self.otherwise)


def _stems(text: str) -> list[str]:
    return [word[:-1] if len(word) > 3 and word[-1] == "s" and word[-2] != "s" else word for word in words(text)]


def labelled(row: Row, domain: str | None, otherwise: str | None) -> Row | Drop:
    """The row with the domain it has, else the one found, else the one for all others; without any it is dropped."""
    label = row.domain or domain or otherwise
    return Drop("no domain") if label is None else replace(row, domain=label)
