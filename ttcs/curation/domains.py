"""What field a question is of: as its source says, by keywords, or as a model says. A domain that is given stays."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ttcs.curation.row import Drop, Row


@dataclass(frozen=True, slots=True)
class GivenDomain:
    """otherwise: the domain of rows that have none; None: they are dropped."""

    otherwise: str | None

    def judge(self, row: Row) -> Row | Drop:
        return labelled(row, None, self.otherwise)


@dataclass(frozen=True, slots=True)
class KeywordDomain:
    """The domain most of whose keywords stand in the question; ties go to the first one.

    keywords: domain -> regular expressions of whole words, whatever the case. otherwise: see `GivenDomain`.
    """

    keywords: Mapping[str, Sequence[str]]
    otherwise: str | None
    _patterns: Mapping[str, re.Pattern[str]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        patterns = {
            domain: re.compile(rf"\b(?:{'|'.join(keywords)})\b", re.IGNORECASE)
            for domain, keywords in self.keywords.items()
        }
        object.__setattr__(self, "_patterns", patterns)

    def judge(self, row: Row) -> Row | Drop:
        if row.domain is not None:
            return row
        hits = {domain: len(set(pattern.findall(row.question.lower()))) for domain, pattern in self._patterns.items()}
        best = max(hits, key=hits.__getitem__, default=None)
        return labelled(row, best if best is not None and hits[best] else None, self.otherwise)


def labelled(row: Row, domain: str | None, otherwise: str | None) -> Row | Drop:
    """The row with the domain it has, else the one found, else the one for all others; without any it is dropped."""
    label = row.domain or domain or otherwise
    return Drop("no domain") if label is None else replace(row, domain=label)
