"""No stopping: all n samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ttcs.core import Candidate


@dataclass(frozen=True, slots=True)
class Never:
    """Never enough: the vote of all n, for comparison."""

    reads_scores: ClassVar[bool] = False

    def __call__(self, drawn: Sequence[Candidate], n: int) -> bool:
        return False
