"""Selections without a PRM: by how sure the policy was of its own tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import ClassVar

from ttcs.choice.selection import answered, heaviest
from ttcs.core import Candidate
from ttcs.errors import UserError

MEASURES = "mean", "least", "tail", "bottom"


@dataclass(frozen=True, slots=True)
class Confident:
    """The answer with the largest sum of confidence (Fu et al., 2025, section 3.2, offline).

    measure: `mean` over all tokens, or of the windows the `least`, the last (`tail`) or the lowest tenth (`bottom`).
    keep: share of the candidates with an answer that vote, the surest ones, at least one. UserError where a candidate
    does not say how sure the policy was.
    """

    measure: str
    keep: float

    reads_scores: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.measure not in MEASURES:
            raise UserError(f"selection.measure={self.measure} is none of {', '.join(MEASURES)}")

    def __call__(self, candidates: Sequence[Candidate]) -> int | None:
        sure = {i: _known(candidates[i], self.measure) for i in answered(candidates)}
        surest = sorted(sure, key=lambda i: -sure[i])[: ceil(self.keep * len(sure))]
        return heaviest(candidates, sorted(surest), lambda i: sure[i])


@dataclass(frozen=True, slots=True)
class SelfCertainty:
    """Borda voting: of N candidates with an answer the r-th surest has (N - r + 1) ** power votes (Kang et al., 2025).

    The paper ranks by the divergence from the uniform distribution, over the whole vocabulary. But for a constant that
    is confidence with k as large as the vocabulary (transformers); with a smaller k it is an approximation. power: 0.3
    to 2 in the paper; 0 is the plain vote. UserError as for `Confident`.
    """

    power: float

    reads_scores: ClassVar[bool] = False

    def __call__(self, candidates: Sequence[Candidate]) -> int | None:
        sure = {i: _known(candidates[i], "mean") for i in answered(candidates)}
        ranked = sorted(sure, key=lambda i: -sure[i])
        votes = {i: float(len(ranked) - place) ** self.power for place, i in enumerate(ranked)}
        return heaviest(candidates, list(sure), lambda i: votes[i])


def _known(candidate: Candidate, measure: str) -> float:
    found: float | None = None if candidate.confidence is None else getattr(candidate.confidence, measure)
    if found is None:
        needed = "strategy.confidence=20" if measure == "mean" else "strategy.confidence=20 strategy.window=64"
        raise UserError(
            f"this selection goes by how sure the policy was, which a solution does not say: sample with {needed}, "
            "from no more tokens than each solution has"
        )
    return found
