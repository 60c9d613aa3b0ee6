"""Another reduction on recorded step scores: no model runs again."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from statistics import fmean

import pandas as pd

from analysis.runs.load import RecordsError

REDUCTIONS: dict[str, Callable[[tuple[float, ...]], float]] = {
    "last": lambda scores: scores[-1],
    "min": min,
    "prod": prod,
    "mean": fmean,
}


def rescore(candidates: pd.DataFrame, reduction: str) -> pd.DataFrame:
    """Candidates with `score` reduced anew from `step_scores` (nan: no step was scored)."""
    if reduction not in REDUCTIONS:
        raise RecordsError(f"unknown reduction {reduction!r}: one of {', '.join(REDUCTIONS)}")
    reduce = REDUCTIONS[reduction]
    scores = [reduce(scores) if scores else float("nan") for scores in candidates["step_scores"]]
    return candidates.assign(score=scores)
