"""The file of a run's records: one line of JSON per problem, appended as its search ends (docs/records.md).

A process may be killed at any byte. A line counts once its newline is written; what follows the last newline is cut
off when the file is opened again, and that problem is searched anew.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Self

from ttcs.config.writable import writing
from ttcs.errors import UserError
from ttcs.records.record import Record


def read(path: Path, last: int | None = None) -> Iterator[Record]:
    """The records of a file, the torn last line of a killed run left out. A line that is no record: UserError.

    last: so many of them, the newest ones; None: all.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        left_out = 0
        if last is not None:
            left_out = sum(line.endswith(b"\n") for line in file) - last
            file.seek(0)
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            if number <= left_out:
                continue
            try:
                yield Record.from_json(line.decode())
            except (ValueError, TypeError, KeyError) as error:
                raise UserError(f"{path}:{number}: not a record of this version of ttcs") from error


class LineFile:
    """A file opened for appending lines, by one process at a time; leaving the context closes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with writing(path):
            self._file = path.open("ab+", buffering=0)
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

    def write(self, line: str) -> int:
        """Where in the file the line begins. On return it has left this process, so killing that cannot lose it.

        UserError where it cannot be written; then nothing of it is in the file.
        """
        left, end = line.encode() + b"\n", self._file.seek(0, os.SEEK_END)
        with writing(self.path):
            try:
                while left:
                    left = left[self._file.write(left) :]
            except OSError:
                self._file.truncate(end)  # a torn line would be the beginning of the next one
                raise
        return end


def cut_torn_line(file: BinaryIO | FileIO, block: int = 1 << 16) -> None:
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


class RecordFile(LineFile):
    """records.jsonl opened for appending."""

    def append(self, record: Record) -> None:
        self.write(record.to_json())
