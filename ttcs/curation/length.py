"""How long a trace is: words, characters, or tokens of a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ttcs.curation.row import Drop, Row


@dataclass(frozen=True, slots=True)
class Length:
    """Measures the trace of every row, for the stages that favour long ones."""

    measure: Callable[[str], int]

    def judge(self, row: Row) -> Row | Drop:
        return replace(row, length=self.measure(row.thinking))


def words(text: str) -> int:
    return len(text.split())


def characters(text: str) -> int:
    return len(text)


@dataclass(slots=True)
class Tokens:
    """Tokens of a model's tokenizer, special ones not counted. model: a folder or an id of the Hub."""

    model: str
    _tokenizer: Any = field(init=False, default=None)

    def __call__(self, text: str) -> int:
        if self._tokenizer is None:  # in the process that measures, not in the one that hands it the stage
            from ttcs.models.load import load_tokenizer

            self._tokenizer = load_tokenizer(self.model)
        return len(self._tokenizer.encode(text, add_special_tokens=False))
