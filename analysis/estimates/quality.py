"""How well scores tell right candidates from wrong ones, and right steps from wrong ones.

Over all candidates a verifier looks good that only knows which problems are easy. What a selection needs is told within
problems, answer by answer, and what a search needs among siblings: steps that go on from the same beginning.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.estimates.pool import Floats
from ttcs.records.interval import RESAMPLES as DRAWS
from ttcs.records.interval import Interval, interval, ratio

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


def within(candidates: pd.DataFrame, resamples: int = DRAWS, seed: int = 0) -> Interval:
    """AUC over the different answers of a problem, by the mean score of each: mean over problems with both kinds.

    An answer that was sampled a hundred times counts once. nan: no problem has a right and a wrong answer with a score.
    """
    known = candidates.dropna(subset=["score", "correct", "group"]).astype({"correct": "float64"})
    answers = known.groupby(["problem_id", "group"])[["score", "correct"]].mean().reset_index()
    values = [
        auc(rows["score"].to_numpy(np.float64), rows["correct"].to_numpy(np.float64).round(), np.ones(len(rows)))
        for _, rows in answers.groupby("problem_id")
    ]
    both = [value for value in values if not np.isnan(value)]
    return interval(both, resamples, seed) if both else Interval(np.nan, np.nan, np.nan)


def accepted(candidates: pd.DataFrame, resamples: int = DRAWS, seed: int = 0) -> Interval:
    """Share of the wrong candidates that score above the median right one of their problem; ties half.

    What best-of-N can be fooled by: with N samples the highest score is a wrong one's as soon as this share is not far
    below 1 / N. Only problems with a right and a wrong candidate count; nan: there is none. Bootstrap over problems.
    """
    known = candidates.dropna(subset=["score", "correct"]).astype({"correct": "bool"})
    medians = known[known["correct"]].groupby("problem_id")["score"].median()
    wrong = known[~known["correct"] & known["problem_id"].isin(medians.index)]
    if wrong.empty:
        return Interval(np.nan, np.nan, np.nan)
    above = wrong["score"] - wrong["problem_id"].map(medians)
    above = (above > 0) + (above == 0) / 2
    problems = above.astype("float64").groupby(wrong["problem_id"])
    parts, wholes = (np.array(found, np.float64) for found in (problems.sum(), problems.count()))
    return ratio(parts, wholes, resamples, seed)


def outranked(steps: pd.DataFrame, resamples: int = DRAWS, seed: int = 0) -> Interval:
    """Share of wrong siblings that score above a right one; ties half, nan where there are no siblings of both kinds.

    steps: problem_id, parent (what comes before), score, right: a row for each different step. Of several right
    siblings each counts equally. Bootstrap over problems.
    """
    counts: dict[object, tuple[float, int]] = {}
    for (problem, _), rows in steps.dropna(subset=["score"]).groupby(["problem_id", "parent"], dropna=False):
        score, right = rows["score"].to_numpy(np.float64), rows["right"].to_numpy(np.bool_)
        if right.any() and not right.all():
            pairs = score[~right][:, None] - score[right][None, :]
            above, wrong = counts.get(problem, (0.0, 0))
            lost = (pairs > 0).mean(axis=1) + (pairs == 0).mean(axis=1) / 2
            counts[problem] = above + float(lost.sum()), wrong + int((~right).sum())
    if not counts:
        return Interval(np.nan, np.nan, np.nan)
    parts, wholes = np.array(list(counts.values()), np.float64).T
    return ratio(parts, wholes, resamples, seed)


def steps(candidates: pd.DataFrame) -> pd.DataFrame:
    """problem_id, parent, score, right: the different steps of the samples of a run.

    A step is right if some sample that goes through it ended right. Where not every step has a score (outcome reward
    models) there are none.
    """
    seen: dict[tuple[str, int], list[float]] = {}
    parents: dict[tuple[str, int], int] = {}
    columns = (candidates[name] for name in ("problem_id", "prefixes", "step_scores", "correct"))
    for problem, prefixes, scores, correct in zip(*columns, strict=True):
        if len(prefixes) != len(scores):
            continue
        numbers = [number for number, _ in prefixes]
        for before, number, score in zip([-1, *numbers], numbers, scores, strict=False):
            known = seen.setdefault((problem, number), [score, 0.0])
            known[1] = max(known[1], float(correct is True or correct == 1))
            parents[problem, number] = before
    rows = [(key[0], parents[key], score, right > 0) for key, (score, right) in seen.items()]
    return pd.DataFrame(rows, columns=["problem_id", "parent", "score", "right"])
