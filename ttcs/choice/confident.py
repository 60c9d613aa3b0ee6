"""Selections without a PRM: by how sure the policy was of its own tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, ClassVar

from ttcs.choice.part import part
from ttcs.choice.selection import answered, heaviest
from ttcs.core import Candidate, Selection
from ttcs.errors import UserError

MEASURES = "mean", "least", "tail", "bottom"


@dataclass(frozen=True, slots=True)
class Confident:
    """The answer with the largest sum of confidence (Fu et al., 2025, section 3.2, offline).

    measure: `mean` over all tokens, or of the windows the `least`, the last (`tail`) or the lowest tenth (`bottom`),
    for which the mean stands where a solution is shorter than a window. keep: share of the candidates with an answer
    that vote, the surest ones, at least one. UserError where a candidate does not say how sure the policy was.
    """

    measure: str
    keep: float

    reads_scores: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.measure not in MEASURES:
            raise UserError(f"selection.measure={self.measure} is none of {', '.join(MEASURES)}")

    def __call__(self, candidates: Sequence[Candidate]) -> int | None:
        sure = {i: _known(candidates[i], self.measure) for i in answered(candidates)}
        surest = sorted(sure, key=lambda i: -sure[i])[: max(1, ceil(part(self.keep, len(sure))))]
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


def check(selection: Selection, strategy: Mapping[str, Any]) -> None:
    """UserError where a selection goes by what the solutions of a strategy do not say.

    strategy: its configuration, in which `confidence` says that they do, and `window` that they do of windows too. Of
    a strategy of somebody else's without such a setting nobody knows before its solutions are there.
    """
    if not isinstance(selection, Confident | SelfCertainty):
        return
    module, _, name = str(strategy.get("_target_")).rpartition(".")
    if "confidence" not in strategy and not module.startswith("ttcs."):
        return
    windows = isinstance(selection, Confident) and selection.measure != "mean"
    if strategy.get("confidence") is None or (windows and strategy.get("window") is None):
        option = "" if "confidence" in strategy else "strategy=best_of_n "
        raise UserError(f"{_lacking(name)}: sample with {option}{_needed(windows)}")


def _known(candidate: Candidate, measure: str) -> float:
    found = None if candidate.confidence is None else candidate.confidence.of(measure)
    if found is None:
        raise UserError(f"{_lacking('this strategy')}: sample with {_needed(measure != 'mean')}")
    return found


def _lacking(strategy: str) -> str:
    return f"this selection goes by how sure the policy was, which solutions of {strategy} do not say"


def _needed(windows: bool) -> str:
    return "strategy.confidence=20 strategy.window=64" if windows else "strategy.confidence=20"
