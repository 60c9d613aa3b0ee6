"""Rows of Arrow's tables as Python has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ttcs.errors import UserError

Cells = Mapping[str, Any]
# By Arrow's names, and by those of the Hub's library.
SHORT = {"float": np.float32, "halffloat": np.float16, "float32": np.float32, "float16": np.float16}


def shortened(rows: Iterable[Cells], types: Mapping[str, object]) -> Iterable[Cells]:
    """Numbers of 16 and 32 bits as the shortest that mean the same: 0.1, not 0.10000000149. types: of the columns."""
    kinds = {name: SHORT[str(kind)] for name, kind in types.items() if str(kind) in SHORT}
    return ({**row, **_short(row, kinds)} for row in rows) if kinds else rows


def listed(source: str, batches: Iterable[Any]) -> Iterator[Cells]:
    """The rows of record batches. UserError for text that is not UTF-8, which Arrow does not check."""
    before = 0
    for batch in batches:
        yield from _converted(source, before, batch)
        before += batch.num_rows


def _converted(source: str, before: int, batch: Any) -> list[Cells]:
    """before: rows of earlier batches."""
    try:
        rows: list[Cells] = batch.to_pylist()
    except UnicodeDecodeError as error:
        if batch.num_rows == 1:
            raise UserError(f"{source}, row {before + 1}: not UTF-8 text ({error.reason})") from error
        return [row for i in range(batch.num_rows) for row in _converted(source, before + i, batch.slice(i, 1))]
    return rows


def _short(row: Cells, kinds: Mapping[str, Any]) -> Cells:
    return {name: None if row[name] is None else float(str(kind(row[name]))) for name, kind in kinds.items()}
