"""The file of a run's records: one line of JSON per problem, appended as its search ends (docs/records.md).

A process may be killed at any byte. A line counts once its newline is written; what follows the last newline is cut
off when the file is opened again, and that problem is searched anew.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Self

from ttcs.config.writable import writing
from ttcs.errors import UserError
from ttcs.records.record import Record


def read(path: Path) -> Iterator[Record]:
    """The records of a file, the torn last line of a killed run left out. A line that is no record: UserError."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                yield Record.from_json(line.decode())
            except (ValueError, TypeError, KeyError) as error:
                raise UserError(f"{path}:{number}: not a record of this version of ttcs") from error


class RecordFile:
    """records.jsonl opened for appending, by one process at a time; leaving the context closes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with writing(path):
            self._file = path.open("ab+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise UserError(f"another process is writing {path}") from error
        cut_torn_line(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with writing(self.path):
            os.fsync(self._file.fileno())
            self._file.close()

    def append(self, record: Record) -> None:
        """On return the line has left this process, so killing the process cannot lose it."""
        with writing(self.path):
            self._file.write(record.to_json().encode() + b"\n")
            self._file.flush()


def cut_torn_line(file: BinaryIO, block: int = 1 << 16) -> None:
    """Cut off what follows the last newline."""
    end = size = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - block)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end < size:
        file.truncate(end)
