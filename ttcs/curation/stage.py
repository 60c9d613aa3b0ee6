"""The three kinds of stage. A stage has the name of its key in the configuration, whose order is theirs too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from ttcs.curation.row import Drop, Entry, Row

Rows = Callable[[], Iterator[Row]]  # the same ones in the same order each time


@runtime_checkable
class Filter(Protocol):
    """Looks at one row at a time, in any process, so it must be a plain value that can be pickled."""

    def judge(self, row: Row) -> Row | Drop:
        """The row as it goes on, perhaps with more known of it, or why it does not."""
        ...


@runtime_checkable
class Asking(Protocol):
    """Asks a model about the rows first, all those of a shard together, and judges each by what it said."""

    def ask(self, rows: Rows, files: Path) -> Filter:
        """files: the beginning of the names of the files that it may keep answers in, so that a kill costs none."""
        ...


@runtime_checkable
class Whole(Protocol):
    """Compares rows with each other, so it must see those of all shards."""

    def choose(self, entries: Sequence[Entry]) -> Sequence[str | None]:
        """For each entry why it does not go on, or None. What is chosen does not depend on the order of the entries."""
        ...


Stage = Filter | Asking | Whole


@dataclass(frozen=True, slots=True)
class Pass:
    """Stages that one reading of the rows is enough for: a model is asked, filters judge, the rest compares."""

    asking: tuple[str, Asking] | None
    filters: tuple[tuple[str, Filter], ...]
    wholes: tuple[tuple[str, Whole], ...]


def passes(stages: Mapping[str, Stage]) -> list[Pass]:
    """As few as the order of the stages allows."""
    found = [Pass(None, (), ())]
    for name, stage in stages.items():
        last = found[-1]
        if isinstance(stage, Whole):
            found[-1] = Pass(last.asking, last.filters, (*last.wholes, (name, stage)))
        elif isinstance(stage, Asking):
            fresh = last == Pass(None, (), ())
            found[-1 if fresh else len(found) :] = [Pass((name, stage), (), ())]
        elif last.wholes:
            found.append(Pass(None, ((name, stage),), ()))
        else:
            found[-1] = Pass(last.asking, (*last.filters, (name, stage)), ())
    return found
