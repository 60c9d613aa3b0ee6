"""Where a solution goes wrong first: can a verifier tell? (ProcessBench; Zheng et al., 2024)

The first step that the verifier scores below a threshold is the one it calls wrong. A solution with a wrong step is
judged rightly if that very step is found, a right one if no step is. F1 is the harmonic mean of the two shares. The
threshold is the one with the best F1 on one half of the questions; what is reported is that of the other half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pandas as pd

from analysis.estimates.pool import Bools, Floats, Ints
from analysis.runs.load import RecordsError
from ttcs.records.interval import RESAMPLES, Interval, ratio, shares

THRESHOLDS = 200  # that are tried, at most


@dataclass(frozen=True, slots=True)
class FirstError:
    """wrong, right: share of the solutions with and without a wrong step that are judged rightly.

    solutions, questions: in the half that is reported on.
    """

    threshold: float
    wrong: Interval
    right: Interval
    f1: Interval
    solutions: int
    questions: int


@dataclass(frozen=True, slots=True)
class Judged:
    """Solutions as arrays. lowest: the least score up to each step, (solutions, steps), inf without any.

    first: the first wrong step, from 0; the number of steps of the longest solution where none is wrong.
    """

    question: Ints
    lowest: Floats
    first: Ints

    @property
    def is_wrong(self) -> Bools:
        wrong: Bools = self.first < self.lowest.shape[1]
        return wrong

    def hits(self, threshold: float) -> Bools:
        """Which solutions are judged rightly. The lowest score so far falls, so that it counts the steps before."""
        steps = np.count_nonzero(self.lowest >= threshold, axis=1)
        found: Bools = steps == self.first
        return found

    def only(self, where: Bools) -> Judged:
        return Judged(self.question[where], self.lowest[where], self.first[where])


def first_error(solutions: pd.DataFrame, name: str) -> FirstError:
    """solutions: those of one verifier, of which those are read that have a label and a score for every step.

    A step is wrong if its label is 0: it is known to be, or none of the rollouts from it ended right.
    """
    judged, questions = _judged(solutions, name)
    choosing = np.array([blake2b(f"half/{text}".encode()).digest()[0] % 2 == 0 for text in questions])[judged.question]
    halves = {"chosen": judged.only(choosing), "reported": judged.only(~choosing)}
    for word, half in halves.items():
        wrong, right = int(half.is_wrong.sum()), int((~half.is_wrong).sum())
        if not wrong or not right:
            raise RecordsError(
                f"{name}: the half of the questions where the threshold is {word} has {wrong} solutions with a wrong "
                f"step and {right} without: both take at least 1"
            )
    threshold = _best(halves["chosen"])
    return _reported(halves["reported"], threshold)


def _judged(solutions: pd.DataFrame, name: str) -> tuple[Judged, Sequence[str]]:
    whole = [not np.isnan([*a, *b]).any() for a, b in zip(solutions["labels"], solutions["scores"], strict=True)]
    known = solutions[whole]
    if known.empty:
        raise RecordsError(f"{name}: none of {len(solutions)} solutions has a label and a score for every step")
    width = int(known["labels"].map(len).max())
    scores = np.array([[*row, *[np.inf] * (width - len(row))] for row in known["scores"]])
    first = [row.index(0) if 0 in row else width for row in known["labels"]]
    question, names = pd.factorize(known["question"])
    return Judged(question.astype(np.int64), np.minimum.accumulate(scores, axis=1), np.array(first)), list(names)


def _best(half: Judged) -> float:
    """The threshold with the best F1; of several the lowest."""
    scores = np.unique(half.lowest[np.isfinite(half.lowest)])
    at = np.unique(np.quantile(scores, np.linspace(0, 1, THRESHOLDS)))
    wrong = half.is_wrong
    return float(max(at, key=lambda threshold: _harmonic(*_shares(half.hits(threshold), wrong))))


def _shares(hits: Bools, wrong: Bools) -> tuple[float, float]:
    return float(hits[wrong].mean()), float(hits[~wrong].mean())


def _harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0


def _reported(half: Judged, threshold: float, resamples: int = RESAMPLES) -> FirstError:
    """Bootstrap over questions; the threshold is held."""
    question = np.unique(half.question, return_inverse=True)[1]
    hits, wrong = half.hits(threshold), half.is_wrong
    masks = hits & wrong, wrong, hits & ~wrong, ~wrong
    counts = [np.bincount(question, mask.astype(np.float64)).astype(np.float64) for mask in masks]
    a, b = ratio(counts[0], counts[1], resamples), ratio(counts[2], counts[3], resamples)
    found = Interval(_harmonic(a.mean, b.mean), np.nan, np.nan)
    if len(counts[0]) > 1:
        found = Interval(found.mean, *_ends(np.stack(counts, axis=1), resamples))
    return FirstError(threshold, a, b, found, len(half.first), len(counts[0]))


def _ends(counts: Floats, resamples: int) -> tuple[float, float]:
    """2 a b / (a + b) with a and b shares of what was drawn; nan where one of the kinds was not."""
    hit_wrong, wrong, hit_right, right = (shares(len(counts), resamples, 0) @ counts).T
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = hit_wrong / wrong, hit_right / right
        f1 = np.where(a + b > 0, 2 * a * b / (a + b), np.where(np.isnan(a + b), np.nan, 0.0))
    low, high = np.nanquantile(f1, (0.025, 0.975))
    return float(low), float(high)
