"""Problem sets: rows of a file or of the Hugging Face Hub, read by the names of their columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.problems import rows
from ttcs.problems.columns import Columns, problem
from ttcs.problems.rows import Row


@dataclass(frozen=True, slots=True)
class Part:
    """Which problems to take: the first `limit` (None: all), and of those every `shards`-th from number `shard` on.

    The shards 0 ... shards - 1 share out the problems, so that as many jobs can work side by side.
    """

    limit: int | None
    shard: int
    shards: int

    def __post_init__(self) -> None:
        if self.limit is not None and (type(self.limit) is not int or self.limit < 1):
            raise UserError(f"dataset.limit={self.limit} is neither null nor a positive whole number")
        if self.shards < 1:
            raise UserError(f"dataset.shards={self.shards} is not a positive whole number")
        if not 0 <= self.shard < self.shards:
            raise UserError(f"dataset.shard={self.shard} is not one of 0 ... {self.shards - 1} (shards={self.shards})")

    def of(self, problems: Sequence[Problem]) -> tuple[Problem, ...]:
        part = tuple(problems[self.shard :: self.shards])
        if problems and not part:
            raise UserError(f"dataset.shard={self.shard} of {self.shards} is empty: there are {len(problems)} problems")
        return part


def jsonl(path: str, columns: Columns, limit: int | None, shard: int, shards: int) -> tuple[Problem, ...]:
    """Problems of a file with one JSON object per line."""
    return _problems(rows.from_jsonl(Path(path)), columns, Part(limit, shard, shards))


def csv(path: str, columns: Columns, limit: int | None, shard: int, shards: int) -> tuple[Problem, ...]:
    """Problems of a file of comma-separated values under a line of column names."""
    return _problems(rows.from_csv(Path(path)), columns, Part(limit, shard, shards))


def parquet(path: str, columns: Columns, limit: int | None, shard: int, shards: int) -> tuple[Problem, ...]:
    """Problems of a Parquet file."""
    return _problems(rows.from_parquet(Path(path)), columns, Part(limit, shard, shards))


def hub(
    name: str,
    config: str | None,
    split: str,
    path: str | None,
    columns: Columns,
    limit: int | None,
    shard: int,
    shards: int,
    revision: str | None = None,
) -> tuple[Problem, ...]:
    """Problems of a dataset of the Hugging Face Hub, or of its copy in the file or folder `path`.

    config: what the Hub's pages call a subset (None: the dataset has only one). revision: branch, tag or commit.
    """
    part = Part(limit, shard, shards)
    if path is not None and revision is not None:
        raise UserError(f"dataset.revision={revision}: a copy has no revisions, and dataset.path={path} names one")
    copy = None if path is None else Path(path)
    found = rows.from_hub(name, config, split, revision) if copy is None else rows.from_copy(copy, config, split)
    return _problems(found, columns, part)


def _problems(found: Iterable[Row], columns: Columns, part: Part) -> tuple[Problem, ...]:
    seen: dict[str, Problem] = {}
    for number, (where, row) in enumerate(islice(found, part.limit), 1):
        new = problem(where, row, columns, number)
        if new.id in seen:
            raise UserError(f"{where}: a second problem with id {new.id}")
        seen[new.id] = new
    if not seen:
        raise UserError("the dataset has no problems")
    return part.of(tuple(seen.values()))
