"""Problems without content, by level: for a simulated policy, which looks at nothing else."""

from __future__ import annotations

from zlib import crc32

from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.problems.dataset import Part


def levelled(levels: int, limit: int | None, shard: int, shards: int) -> tuple[Problem, ...]:
    """`limit` of them, of the levels 1, 2, ..., levels, 1, ..., so that any beginning has as many of each."""
    part = Part(limit, shard, shards)
    if limit is None:
        raise UserError("dataset.limit=null: problems that are made as they are asked for have no end")
    return part.of(tuple(_problem(number, number % levels + 1) for number in range(limit)))


def _problem(number: int, level: int) -> Problem:
    name = f"level{level}-{number}"
    return Problem(name, f"Problem {number} of level {level}.", str(10_000 + crc32(name.encode()) % 90_000), level)
