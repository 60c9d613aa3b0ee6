"""Rows at random: "1K-random" in s1's ablations (Muennighoff et al., 2025, section 5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from ttcs.curation.row import Entry
from ttcs.curation.sampling import NOT_DRAWN, check_size


@dataclass(frozen=True, slots=True)
class RandomRows:
    """Without replacement, whatever the order of the rows."""

    size: int
    seed: int

    def choose(self, entries: Sequence[Entry]) -> Sequence[str | None]:
        check_size(self.size, len(entries))
        kept = set(Random(f"{self.seed}/random").sample(sorted(entry.key for entry in entries), self.size))
        return [None if entry.key in kept else NOT_DRAWN for entry in entries]
