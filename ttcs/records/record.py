"""The records of a run: one line of JSON per problem, appended as its search ends (docs/records.md).

A process may be killed at any byte. A line counts once its newline is written; what follows the last newline is cut
off when the file is opened again, and that problem is searched anew.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from ttcs.core import Stop
from ttcs.errors import UserError
from ttcs.records.writing import writing
from ttcs.search.ledger import Ledger


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """A step of the search tree. parent: the node of the step before (None: the problem). tokens: None: not known.

    thinking, given: see `Step`.
    """

    node: int
    parent: int | None
    text: str
    tokens: int | None
    stop: Stop
    score: float | None
    thinking: bool = False
    given: bool = False


@dataclass(frozen=True, slots=True)
class CandidateRecord:
    """A candidate as it was voted on. leaf: the node of its last step (None: it has no step). tokens: as a node's.

    revises: the leaves of the attempts it was shown, oldest first. thinking: tokens of its thinking, those that the
    strategy put there included (None: the policy does not think).
    """

    leaf: int | None
    answer: str | None
    group: int | None
    score: float | None
    correct: bool | None
    tokens: int | None
    stop: Stop | None
    subtree: int | None
    revises: tuple[int, ...] = ()
    thinking: int | None = None

    @property
    def finished(self) -> bool:
        """Whether it can be an answer. One that a strategy cut off in its thinking has none in any case."""
        return self.stop == Stop.END or (self.stop == Stop.CUT and self.answer is not None)


@dataclass(frozen=True, slots=True)
class Record:
    """What one search did and what came of it.

    run_seconds: the clock of the run when this was written, all its sessions added.
    policy_parameters, prm_parameters: what the FLOPs of the ledger were counted from; None: the PRM was not asked, or
        the record is older than these fields.
    prm_limit: tokens that the PRM reads at most; None: nothing was longer, or the record is older than this field.
    """

    problem_id: str
    level: int | None
    family: str | None
    reference: str | None
    answer: str | None
    correct: bool | None
    chosen: int | None
    run_seconds: float
    ledger: Ledger
    candidates: tuple[CandidateRecord, ...]
    tree: tuple[NodeRecord, ...]
    policy_parameters: int | None = None
    prm_parameters: int | None = None
    prm_limit: int | None = None

    def to_json(self) -> str:
        return json.dumps(self, default=_fields, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> Self:
        row: dict[str, Any] = json.loads(line)
        return cls(
            **{
                **row,
                "ledger": Ledger(**row["ledger"]),
                "candidates": tuple(CandidateRecord(**_listed(_stopped(candidate))) for candidate in row["candidates"]),
                "tree": tuple(NodeRecord(**_stopped(node)) for node in row["tree"]),
            }
        )


def _stopped(part: dict[str, Any]) -> dict[str, Any]:
    return part if part["stop"] is None else {**part, "stop": Stop(part["stop"])}


def _listed(part: dict[str, Any]) -> dict[str, Any]:
    return {**part, "revises": tuple(part.get("revises", ()))}


def _fields(part: Any) -> dict[str, Any]:
    """A record, or a part of one, as JSON has it: a tree has thousands of nodes, and `asdict` copies all it meets."""
    return {name: getattr(part, name) for name in part.__slots__}


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
        self._cut_torn_line()

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

    def _cut_torn_line(self, block: int = 1 << 16) -> None:
        end = size = self._file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - block)
            self._file.seek(start)
            newline = self._file.read(end - start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end < size:
            self._file.truncate(end)
