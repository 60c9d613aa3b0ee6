"""How well scores tell right candidates from wrong ones."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.estimates.pool import Floats
from ttcs.records.interval import Interval

RESAMPLES = 500


def auc(scores: Floats, correct: Floats, weights: Floats) -> float:
    """Area under the ROC curve: P(a right candidate scores above a wrong one), ties half; nan without both kinds."""
    order = np.argsort(scores, kind="stable")
    right, wrong = (weights * correct)[order], (weights * (1 - correct))[order]
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])
    right, wrong = np.add.reduceat(right, starts), np.add.reduceat(wrong, starts)
    below = np.cumsum(wrong) - wrong / 2
    mass = float(right.sum() * wrong.sum())
    return float(right @ below) / mass if mass else float("nan")


def auc_interval(candidates: pd.DataFrame, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """AUC of the score against correctness over all scored candidates (nan: none is); bootstrap over problems."""
    known = candidates.dropna(subset=["score", "correct"])
    scores, correct = known["score"].to_numpy(np.float64), known["correct"].to_numpy(np.float64)
    if not len(known):
        return Interval(np.nan, np.nan, np.nan)
    problem, names = pd.factorize(known["problem_id"])
    rng = np.random.default_rng(seed)
    draws = (np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names)) for _ in range(resamples))
    values = [auc(scores, correct, draw[problem].astype(np.float64)) for draw in draws]
    low, high = np.nanquantile(values, (0.025, 0.975))
    return Interval(auc(scores, correct, np.ones(len(scores))), float(low), float(high))
