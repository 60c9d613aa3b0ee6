"""Rows -> Parquet files, a group of rows at a time, so that a run of any size goes through little memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
from pyarrow import parquet

from ttcs.config.writable import made, writing
from ttcs.errors import UserError

Row = Mapping[str, Any]
GROUP = 2000  # rows


def write(folder: Path, schemas: Mapping[str, pa.Schema], rows: Iterable[tuple[str, Row]]) -> dict[str, int]:
    """One file for each table, data/TABLE.parquet; how many rows it has. UserError for a value that is no column's."""
    made(folder / "data")
    counts = dict.fromkeys(schemas, 0)
    with writing(folder / "data"):
        files = {name: parquet.ParquetWriter(_file(folder, name), schema) for name, schema in schemas.items()}
        waiting: dict[str, list[Row]] = {name: [] for name in schemas}
        try:
            for name, row in rows:
                waiting[name].append(row)
                counts[name] += 1
                if len(waiting[name]) == GROUP:
                    files[name].write_table(_table(waiting[name], schemas[name]))
                    waiting[name].clear()
            for name, several in waiting.items():
                files[name].write_table(_table(several, schemas[name]))
        finally:
            for file in files.values():
                file.close()
    return counts


def _file(folder: Path, name: str) -> Path:
    return folder / "data" / f"{name}.parquet"


def _table(rows: list[Row], schema: pa.Schema) -> pa.Table:
    try:
        return pa.Table.from_pylist(list(rows), schema)
    except (pa.ArrowException, UnicodeEncodeError, TypeError) as error:
        raise UserError(f"a record cannot be exported: {' '.join(str(error).split())}") from error
