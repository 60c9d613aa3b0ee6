"""Drops generations that failed: 59,029 -> 54,116 rows in s1 (Muennighoff et al., 2025, section 2.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ttcs.curation.row import Drop, Row
from ttcs.errors import UserError


@dataclass(frozen=True, slots=True)
class Failed:
    """A row fails with an error on record, without question, trace or answer, or with the text of an error instead.

    patterns: regular expressions, whatever the case, searched for in the first `within` characters of trace and answer.
    """

    patterns: Sequence[str]
    within: int
    _errors: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        try:
            errors = re.compile("|".join(f"(?:{pattern})" for pattern in self.patterns) or r"(?!)", re.IGNORECASE)
        except re.error as error:
            raise UserError(f"failed.patterns: not a regular expression ({error})") from error
        object.__setattr__(self, "_errors", errors)

    def judge(self, row: Row) -> Row | Drop:
        if row.error:
            return Drop("error")
        for name in ("question", "thinking", "answer"):
            if not getattr(row, name):
                return Drop(f"no {name}")
        if any(self._errors.search(text[: self.within]) for text in (row.thinking, row.answer)):
            return Drop("error message")
        return row
