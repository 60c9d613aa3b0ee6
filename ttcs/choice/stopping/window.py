"""The window rule: a few samples in a row that all agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ttcs.core import Candidate


@dataclass(frozen=True, slots=True)
class Window:
    """Enough once a whole window of samples has one answer (Li et al., 2024, early-stopping self-consistency).

    Windows of `size` samples (w there, 4 or 5) follow each other and do not overlap; all samples so far vote, not the
    window alone. A window has one answer where each of its samples has that one: a sample without an answer breaks it,
    of which the paper does not speak.
    """

    size: int

    reads_scores: ClassVar[bool] = False

    def __call__(self, drawn: Sequence[Candidate], n: int) -> bool:
        if not drawn or len(drawn) % self.size:
            return False
        answers = {sample.answer for sample in drawn[-self.size :]}
        return len(answers) == 1 and None not in answers
