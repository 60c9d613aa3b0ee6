"""Filters over rows, in this process or in several; lines come back in the order of the rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from multiprocessing import get_context
from multiprocessing.pool import AsyncResult
from signal import SIG_IGN, SIGINT, signal

from ttcs.curation.part import line
from ttcs.curation.row import Row
from ttcs.curation.stage import Filter

BLOCK = 64  # rows handed to a process at a time
AHEAD = 4  # blocks read ahead for each process: a pool by itself would read all rows into memory

Filters = Sequence[tuple[str, Filter]]
Numbered = tuple[int, Row]
_own: list[Filters] = []  # of a process of the pool: they are sent to it once, not with every block


def judged(rows: Iterable[Numbered], filters: Filters, processes: int) -> Iterator[list[str]]:
    """Blocks of lines. processes: 1 means this one."""
    if processes == 1 or not filters:
        yield from (_lines(block, filters) for block in _blocks(rows))
        return
    # Not forked: a model that was asked before has threads, which do not survive that.
    with get_context("spawn").Pool(processes, _begin, (filters,)) as pool:
        waiting: deque[AsyncResult[list[str]]] = deque()
        for block in _blocks(rows):
            waiting.append(pool.apply_async(_judge, (block,)))
            if len(waiting) > AHEAD * processes:
                yield waiting.popleft().get()
        while waiting:
            yield waiting.popleft().get()


def _begin(filters: Filters) -> None:
    signal(SIGINT, SIG_IGN)  # Ctrl-C is for the command, which ends its pool
    _own[:] = [filters]


def _judge(block: Sequence[Numbered]) -> list[str]:
    return _lines(block, _own[0])


def _lines(block: Sequence[Numbered], filters: Filters) -> list[str]:
    return [line(number, row, filters) for number, row in block]


def _blocks(rows: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    arriving = iter(rows)
    while block := list(islice(arriving, BLOCK)):
        yield block
