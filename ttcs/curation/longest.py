"""The rows with the longest traces: "1K-longest" in s1's ablations (Muennighoff et al., 2025, section 5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ttcs.curation.row import Entry
from ttcs.curation.sampling import check_size, longest_first


@dataclass(frozen=True, slots=True)
class Longest:
    """Ties go to the first by source and id."""

    size: int

    def choose(self, entries: Sequence[Entry]) -> Sequence[str | None]:
        check_size(self.size, len(entries))
        kept = {entry.key for entry in longest_first(entries)[: self.size]}
        return [None if entry.key in kept else "shorter" for entry in entries]
