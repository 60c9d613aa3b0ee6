"""Keeps one row of each question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ttcs.curation.row import Entry


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Questions are the same where their `spelling` is: whatever their case, spaces and marks at the end.

    The row with the longest trace stays, of several the first by source and id: on this the paper is silent.
    """

    def choose(self, entries: Sequence[Entry]) -> Sequence[str | None]:
        best: dict[str, Entry] = {}
        for entry in entries:
            best[entry.question] = min(best.get(entry.question, entry), entry, key=_order)
        return [None if best[entry.question] is entry else f"as {best[entry.question].key}" for entry in entries]


def _order(entry: Entry) -> tuple[int, str]:
    return -entry.characters, entry.key
