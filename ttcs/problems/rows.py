"""Rows of a dataset, from a file or from the Hugging Face Hub, one at a time: what lies beyond a limit is not read."""

from __future__ import annotations

import csv
import json
import logging
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from ttcs.config.unicode import ESCAPED, mended
from ttcs.errors import UserError
from ttcs.problems import arrow

Row = tuple[str, Mapping[str, Any]]  # where it stands (for error messages) and what it says
LONGEST = 2**31 - 1  # characters of a CSV cell, as many as the reader can be told of on any machine


def from_jsonl(path: Path) -> Iterator[Row]:
    """One JSON object per line; blank lines are skipped. Half a surrogate pair is read as U+FFFD, which is told."""
    told = False
    with _text(path) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                where, row = _object(f"{path}:{number}", line)
                if ESCAPED.search(line) and (whole := mended(row)) != row:
                    row, told = whole, told or _tell(where)
                yield where, row


def from_csv(path: Path) -> Iterator[Row]:
    """Comma-separated values under a line of column names. All cells are text, the empty ones null."""
    csv.field_size_limit(LONGEST)  # the reader's own is for a process, not for a file
    with _text(path) as file:
        reader = csv.reader(file, strict=True)
        try:
            header = next(reader, [])
            _distinct(f"{path}:{reader.line_num}", [name for name in header if name.strip()])
            yield from (_record(f"{path}:{reader.line_num}", header, cells) for cells in reader if cells)
        except csv.Error as error:
            raise UserError(f"{path}:{reader.line_num}: not CSV ({error})") from error


def from_parquet(path: Path) -> Iterator[Row]:
    from pyarrow import ArrowException, parquet  # type: ignore[import-untyped]

    _require(path)
    try:
        with parquet.ParquetFile(path) as file:
            _distinct(str(path), file.schema_arrow.names)
            types = {field.name: field.type for field in file.schema_arrow}
            yield from _numbered(str(path), arrow.shortened(arrow.listed(str(path), file.iter_batches()), types))
    except (ArrowException, OSError) as error:
        raise UserError(f"{path}: not Parquet ({_reason(error)})") from error


def from_hub(
    name: str, config: str | None, split: str, revision: str | None = None, streaming: bool = False
) -> Iterator[Row]:
    """A dataset of the Hugging Face Hub, by its id, or a folder laid out like one; `config` is the Hub's "subset".

    revision: branch, tag or commit. streaming: rows come over the network as they are asked for, instead of after a
    download.
    """
    import datasets

    _hush()
    try:
        rows = datasets.load_dataset(name, config, split=split, streaming=streaming, revision=revision)
        types = {column: getattr(kind, "dtype", None) for column, kind in (rows.features or {}).items()}
        yield from _numbered(name, arrow.shortened(rows, types))
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        at = "" if revision is None else f" at dataset.revision={revision}"
        raise UserError(f"cannot load dataset {name}{at} ({_reason(error)}); {_remedy(name, error)}") from error


def from_copy(path: Path, config: str | None, split: str) -> Iterator[Row]:
    """A local copy of a dataset of the Hub: one file, told by its suffix, or a folder laid out as on the Hub."""
    if path.is_dir():
        return from_hub(str(path.resolve()), config, split)  # in full: a folder named csv would mean the format
    _require(path)
    if (reader := READERS.get(path.suffix.lower())) is None:
        raise UserError(f"{path} is neither a folder nor a file that ends in {', '.join(READERS)}")
    return reader(path)


READERS = {".jsonl": from_jsonl, ".json": from_jsonl, ".csv": from_csv, ".parquet": from_parquet}


def _numbered(source: str, rows: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    return ((f"{source}, row {number}", row) for number, row in enumerate(rows, 1))


@contextmanager
def _text(path: Path) -> Iterator[TextIO]:
    _require(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            yield file
        except UnicodeDecodeError as error:
            raise UserError(f"dataset file {path} is not UTF-8 text") from error


def _require(path: Path) -> None:
    if path.is_dir():
        raise UserError(f"dataset file {path} is a folder; one that is laid out as on the Hub is for dataset=hub")
    if not path.is_file():
        raise UserError(f"dataset file {path} {'is not a file' if path.exists() else 'does not exist'}")


def _tell(where: str) -> bool:
    halves = "half a surrogate pair, which is no character, is read as U+FFFD, and so are others that follow"
    warnings.warn(f"{where}: {halves}", stacklevel=3)
    return True


def _distinct(where: str, names: Sequence[str]) -> None:
    """UserError where a cell could not be told from another by its column."""
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise UserError(f"{where}: more than one column named {', '.join(twice)}")


def _object(where: str, line: str) -> Row:
    def keyed(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        _distinct(where, [key for key, _ in pairs])
        return dict(pairs)

    try:
        row = json.loads(line, object_pairs_hook=keyed)
    except ValueError as error:
        raise UserError(f"{where}: not JSON ({error})") from error
    if not isinstance(row, dict):
        raise UserError(f"{where}: a JSON object was expected, found {line.strip()[:40]}")
    return where, row


def _record(where: str, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        raise UserError(f"{where}: {len(cells)} cells under {len(header)} column names")
    return where, dict(zip(header, (cell or None for cell in cells), strict=True))


def _hush() -> None:
    """A run has a bar of its own, and a mistake its one line: what these libraries say is in their exceptions too."""
    import datasets
    from huggingface_hub.utils.tqdm import disable_progress_bars

    datasets.disable_progress_bars()
    disable_progress_bars()
    for library in ("datasets", "huggingface_hub"):
        logging.getLogger(library).setLevel(logging.CRITICAL)


def _reason(error: BaseException) -> str:
    """What an exception says, on one line. A file that cannot be parsed is only named by the cause."""
    from datasets.exceptions import DatasetGenerationError

    if type(error) is DatasetGenerationError and error.__cause__ is not None:
        return _reason(error.__cause__)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2]).rstrip(".") or type(error).__name__


def _remedy(name: str, error: Exception) -> str:
    from datasets.exceptions import DatasetNotFoundError

    if type(error) is ValueError:  # its subclasses come from the parsers of file formats
        return "see dataset.config and dataset.split"
    copy = "a local copy can be named with dataset.path"
    if isinstance(error, DatasetNotFoundError):
        return f"where terms must be accepted, do so at huggingface.co/datasets/{name} and run hf auth login; {copy}"
    return copy
