"""Candidates -> index of the chosen one. Ties go to the one seen first; a candidate without an answer never counts.

Sums that differ by rounding alone are a tie: 0.1 + 0.2 is no more than 0.3.

A score of -inf means "not scored". The selections that read scores leave such a candidate out, and choose nothing when
no answer has a score: falling back to a vote would report a method under another method's name. But a lone answer needs
no score to be chosen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ttcs.core import Candidate

TIE = 1e-12  # of a sum of scores: what rounding may make of it


@dataclass(frozen=True, slots=True)
class Majority:
    """The answer most candidates agree on (Wang et al., 2023), by its best-scored candidate, or its first."""

    reads_scores: ClassVar[bool] = False

    def __call__(self, candidates: Sequence[Candidate]) -> int | None:
        return heaviest(candidates, answered(candidates), weight=lambda _: 1.0)


@dataclass(frozen=True, slots=True)
class Best:
    """The candidate with the highest score: vanilla best-of-n."""

    reads_scores: ClassVar[bool] = True

    def __call__(self, candidates: Sequence[Candidate]) -> int | None:
        return max(_scored(candidates), key=lambda i: candidates[i].score, default=None)


@dataclass(frozen=True, slots=True)
class Weighted:
    """The answer with the highest sum of scores, by its best candidate: weighted best-of-n (Li et al., 2023)."""

    reads_scores: ClassVar[bool] = True

    def __call__(self, candidates: Sequence[Candidate]) -> int | None:
        return heaviest(candidates, _scored(candidates), weight=lambda i: candidates[i].score)


@dataclass(frozen=True, slots=True)
class Hierarchical:
    """`Weighted` within each subtree, then among their winners (Snell et al., 2024, section 6.1).

    Made for chains of revisions, each of which is a subtree. What a subtree sends on is the best candidate of its
    winning answer, with its score. Candidates without a subtree are one.
    """

    reads_scores: ClassVar[bool] = True

    def __call__(self, candidates: Sequence[Candidate]) -> int | None:
        subtrees: dict[int | None, list[int]] = {}
        for i, candidate in enumerate(candidates):
            subtrees.setdefault(candidate.subtree, []).append(i)
        winners = [
            own[best] for own in subtrees.values() if (best := Weighted()([candidates[i] for i in own])) is not None
        ]
        best = Weighted()([candidates[i] for i in winners])
        return None if best is None else winners[best]


def answered(candidates: Sequence[Candidate]) -> list[int]:
    """Those that count at all."""
    return [i for i, candidate in enumerate(candidates) if candidate.answer is not None]


def _scored(candidates: Sequence[Candidate]) -> list[int]:
    eligible = answered(candidates)
    return eligible if len(eligible) == 1 else [i for i in eligible if candidates[i].score > -math.inf]


def heaviest(candidates: Sequence[Candidate], eligible: Sequence[int], weight: Callable[[int], float]) -> int | None:
    """The best-scored candidate of the answer that weighs most, by those eligible; of equal ones the first seen."""
    groups: dict[int | None, list[int]] = {}
    for i in eligible:
        groups.setdefault(candidates[i].answer, []).append(i)
    sums = {answer: math.fsum(map(weight, group)) for answer, group in groups.items()}
    largest = max(sums.values(), default=0.0)
    leading = next((groups[answer] for answer, total in sums.items() if total >= largest - TIE * abs(largest)), [])
    return max(leading, key=lambda i: candidates[i].score, default=None)
