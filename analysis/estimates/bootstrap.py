"""Intervals: percentile bootstrap over problems. A problem is a cluster: its seeds are averaged before it is drawn."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.runs.load import RecordsError
from ttcs.records.interval import RESAMPLES, Interval, interval


def per_problem(estimates: pd.DataFrame) -> pd.Series[float]:
    """Mean over seeds (and whatever else repeats a problem), indexed and sorted by problem."""
    return estimates.groupby("problem_id")["correct"].mean().astype("float64")


def accuracy(estimates: pd.DataFrame, by: Sequence[str], resamples: int = RESAMPLES, seed: int = 0) -> pd.DataFrame:
    """problem_id, correct, ... -> one row per group of `by`: accuracy, low, high, n_problems."""
    rows = []
    for key, group in estimates.groupby(list(by), sort=False, dropna=False):
        values = per_problem(group)
        rows.append((*key, *interval(list(values), resamples, seed), len(values)))
    return pd.DataFrame(rows, columns=[*by, "accuracy", "low", "high", "n_problems"])


def difference(a: pd.DataFrame, b: pd.DataFrame, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Accuracy of a minus that of b, paired: over the problems that both have."""
    both = pd.concat([per_problem(a), per_problem(b)], axis=1, join="inner", keys=["a", "b"])
    if both.empty:
        raise RecordsError("the two methods have no problem in common")
    return interval(list(both["a"] - both["b"]), resamples, seed)
