"""Rows with traces from a file or the Hugging Face Hub, by the names of their columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from textwrap import shorten
from typing import Any

from ttcs.curation.row import Row
from ttcs.errors import UserError
from ttcs.problems import cells
from ttcs.problems import rows as raw

TRUE = {"true", "1", "1.0", "yes"}
FALSE = {"false", "0", "0.0", "no", "none", "null"}


@dataclass(frozen=True, slots=True)
class TraceColumns:
    """Which column holds what. None: the source has no such column; ids are then row numbers.

    thinking: the trace; answer: what follows it. error: filled where the generation failed. solved: columns that say
    that a model has solved the question. A cell that is a list counts as its first element.
    """

    id: str | None
    question: str
    thinking: str
    answer: str
    reference: str | None
    domain: str | None
    error: str | None = None
    solved: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """path: a file (.jsonl, .csv, .parquet) or a folder laid out as on the Hub; name: an id of the Hub. One of them.

    config, split: of a dataset of the Hub. streaming: read it row by row over the network instead of downloading it.
    limit: the first rows only (None: all).
    """

    columns: TraceColumns
    path: str | None = None
    name: str | None = None
    config: str | None = None
    split: str = "train"
    streaming: bool = False
    limit: int | None = None

    def rows(self, name: str) -> Iterator[Row]:
        """UserError for columns that are not there, for an id that comes twice, and for a source without traces."""
        seen: set[str] = set()
        traces = 0
        for number, (where, found) in enumerate(islice(self._raw(name), self.limit), 1):
            row = self._row(name, where, found, number)
            if row.id in seen:
                raise UserError(f"{where}: a second row with id {row.id} in source {name}")
            seen.add(row.id)
            traces += bool(row.thinking)
            yield row
        if not traces:
            raise UserError(f"{self._traceless(name)}: column {self.columns.thinking} of its {len(seen)} rows is empty")

    def _raw(self, name: str) -> Iterator[raw.Row]:
        if (self.path is None) == (self.name is None):
            raise UserError(f"sources.{name} needs either a path or the name of a dataset of the Hub")
        if self.path is not None:
            return raw.from_copy(Path(self.path), self.config, self.split)
        assert self.name is not None
        return raw.from_hub(self.name, self.config, self.split, streaming=self.streaming)

    def _row(self, name: str, where: str, row: Mapping[str, Any], number: int) -> Row:
        columns = self.columns
        there = shorten(", ".join(row), 300, placeholder=" ...")
        if columns.thinking not in row:
            raise UserError(f"{self._traceless(name)}: {where} has no column {columns.thinking} (there are: {there})")
        wanted = (columns.id, columns.question, columns.answer, columns.reference, columns.domain, columns.error)
        for column in (*wanted, *columns.solved):
            if column is not None and column not in row:
                raise UserError(f"{where}: no column {column} (there are: {there}); see sources.{name}.columns")
        return Row(
            id=_text(where, row, columns.id) or str(number),
            question=_text(where, row, columns.question) or "",
            thinking=_text(where, row, columns.thinking) or "",
            answer=_text(where, row, columns.answer) or "",
            reference=_text(where, row, columns.reference),
            domain=_text(where, row, columns.domain),
            source=name,
            error=_error(_text(where, row, columns.error)),
            solved=tuple(column for column in columns.solved if (_text(where, row, column) or "").lower() in TRUE),
        )

    def _traceless(self, name: str) -> str:
        return f"source {name} has no reasoning traces (sources.{name}.columns.thinking)"


def _error(text: str | None) -> str | None:
    """None where a column only says whether there was one, and there was none."""
    return None if text is None or text.lower() in FALSE else text


def _text(where: str, row: Mapping[str, Any], column: str | None) -> str | None:
    """A cell as text without white space around it; None where that is empty."""
    value = None if column is None else row[column]
    if isinstance(value, list):
        value = value[0] if value else None
    text = None if column is None else cells.text(where, column, value)
    return None if text is None else text.strip()


def numbered(sources: Mapping[str, Source]) -> Iterator[tuple[int, Row]]:
    """The rows of all sources, one source after the other."""
    return enumerate(row for name, source in sources.items() for row in source.rows(name))
