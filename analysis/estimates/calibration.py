"""Whether a score of 0.8 means that four in five are right: reliability and the Brier score."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ttcs.records.interval import Interval, ratio


def brier(problem: pd.Series, score: pd.Series, right: pd.Series) -> Interval:
    """Mean squared difference of score and truth, which may be a share (Brier, 1950); bootstrap over problems."""
    errors = (score.astype("float64") - right.astype("float64")) ** 2
    sums = errors.groupby(problem.to_numpy()).agg(["sum", "count"])
    return ratio(sums["sum"].to_numpy(np.float64), sums["count"].to_numpy(np.float64))


def reliability(candidates: pd.DataFrame, bins: int) -> pd.DataFrame:
    """bin, score (mean), accuracy, low, high, count, n_problems: of the candidates in each of equally wide bins.

    candidates: problem_id, score in [0, 1], correct. A bin without any is left out.
    """
    known = candidates.assign(bin=np.minimum((candidates["score"] * bins).astype("int64"), bins - 1))
    rows = []
    for number, group in known.groupby("bin"):
        right = group["correct"].astype("float64").groupby(group["problem_id"]).agg(["sum", "count"])
        share = ratio(right["sum"].to_numpy(np.float64), right["count"].to_numpy(np.float64))
        rows.append((int(str(number)), float(group["score"].mean()), *share, len(group), len(right)))
    return pd.DataFrame(rows, columns=["bin", "score", "accuracy", "low", "high", "count", "n_problems"])
