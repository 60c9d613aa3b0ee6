"""All rows: "59K-full" in s1's ablations (Muennighoff et al., 2025, section 5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ttcs.curation.row import Entry


@dataclass(frozen=True, slots=True)
class Full:
    def choose(self, entries: Sequence[Entry]) -> Sequence[str | None]:
        return [None] * len(entries)
