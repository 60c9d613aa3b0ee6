"""The file of a shard of rollouts: what it was made with, labelled solutions, and a closing line for each problem.

    {"settings": {...}}                                                   once, the first line
    {"problem_id", "question", "correct", "steps", "labels"}              a solution
    {"done": problem id, "samples": n, "dropped": n, "ledger": {...}}     closes a problem

A process may be killed at any byte: what stands behind the last closing line is cut off when the file is opened again,
and that problem is done anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import IO, Any, Self

from ttcs.config.unicode import parsed
from ttcs.config.writable import made
from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.records.folder import difference
from ttcs.search.ledger import Ledger
from ttcs.training.labelled import Labelled

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Closing:
    """What a problem came to. samples: solutions drawn; dropped of them: without an answer that can be read."""

    done: str
    samples: int
    dropped: int
    ledger: Ledger


@dataclass(slots=True)
class RolloutFile:
    """A file opened for appending. settings: dotted key -> value of all that can change its lines.

    UserError when the file is there and has been made with others, or does not say with which.
    """

    path: Path
    settings: Mapping[str, Any]
    closed: list[Closing] = field(init=False, default_factory=list)
    _file: IO[str] = field(init=False)

    def __enter__(self) -> Self:
        made(self.path.parent)
        whole = self._read() if self.path.exists() else 0
        self._file = self.path.open("a", encoding="utf-8")
        self._file.truncate(whole)
        if not whole:
            self._write([{"settings": self.settings}])
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def append(self, solutions: Iterable[Line], closing: Closing) -> None:
        """On return the lines have left this process, so killing the process cannot lose them."""
        self._write([*solutions, asdict(closing)])
        self.closed.append(closing)

    def _write(self, lines: Sequence[Line]) -> None:
        self._file.write("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
        self._file.flush()

    def _read(self) -> int:
        """Bytes up to the end of the last problem that is done, or of the settings."""
        end = whole = 0
        with self.path.open("rb") as file:
            for text in file:
                end += len(text)
                if not text.endswith(b"\n"):
                    break
                line = json.loads(text)
                if not whole:
                    self._check(line)
                if "done" in line:
                    self.closed.append(Closing(**{**line, "ledger": Ledger(**line["ledger"])}))
                if "done" in line or "settings" in line:
                    whole = end
        return whole

    def _check(self, first: Line) -> None:
        if "settings" not in first:
            raise UserError(
                f"{self.path} does not say what it was made with, so it cannot be continued (a PRM can be trained on "
                "it as it is): choose another stage.out, or move it away"
            )
        here = json.loads(json.dumps(self.settings))  # tuples are lists in the file
        if keys := difference(first["settings"], here):
            raise UserError(f"{self.path} was made with other settings: {keys}; choose another stage.out")


@dataclass(frozen=True, slots=True)
class RolloutFolder:
    """Source: the solutions of a folder's rollout files. files: which of them, a pattern of their names."""

    folder: str
    files: str = "*.jsonl"

    def solutions(self) -> Iterator[Labelled]:
        for line in read_solutions(self.folder, self.files):
            problem = Problem(line["problem_id"], line["question"])
            yield Labelled(problem, tuple(line["steps"]), tuple(line["labels"]))


def read_solutions(folder: str, pattern: str = "*.jsonl") -> Iterator[Line]:
    """The solutions of a folder's files whose names are as `pattern` says, in the order of their names."""
    files = sorted(Path(folder).glob(pattern))
    if not files:
        raise UserError(f"no rollouts ({pattern}) in {folder}")
    for path in files:
        with path.open(encoding="utf-8") as file:
            for number, text in enumerate(file, 1):
                if text.endswith("\n"):  # else it is being written, or a kill has torn it
                    line = _parsed(text, f"{path}:{number}")
                    if line.get("steps"):
                        yield line


def total(ledgers: Sequence[Ledger]) -> Ledger:
    """All of them added up; problems run side by side, so their seconds overlap."""
    names = [field.name for field in fields(Ledger)]
    return Ledger(**{name: sum(getattr(ledger, name) for ledger in ledgers) for name in names})


def _parsed(text: str, where: str) -> Line:
    try:
        line: Line = parsed(text)
    except ValueError as error:
        raise UserError(f"{where}: not a line of a rollout file ({error})") from error
    return line
