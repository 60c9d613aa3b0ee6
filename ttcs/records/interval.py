"""The interval of a mean, and of a ratio of two: percentile bootstrap over problems."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ttcs.errors import UserError

RESAMPLES = 2000

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """A mean and the ends of its 95 % interval (nan: fewer than two problems say nothing about the spread)."""

    mean: float
    low: float
    high: float


@lru_cache(maxsize=8)
def shares(problems: int, resamples: int, seed: int) -> Floats:
    """(resamples, problems): how often each problem was drawn, as a share."""
    drawn = np.random.default_rng((seed, problems)).integers(problems, size=(resamples, problems))
    cells = drawn + problems * np.arange(resamples)[:, None]
    counts = np.bincount(cells.ravel(), minlength=resamples * problems)
    return counts.reshape(resamples, problems) / problems


def interval(values: Sequence[float] | Floats, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Mean of one value per problem. UserError where there is none."""
    array = np.asarray(values, dtype=np.float64)
    if not len(array):
        raise UserError("no problems to take a mean over")
    if len(array) == 1:
        return Interval(float(array[0]), np.nan, np.nan)
    low, high = np.quantile(shares(len(array), resamples, seed) @ array, (0.025, 0.975))
    return Interval(float(array.mean()), float(low), float(high))


def ratio(parts: Floats, wholes: Floats, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Sum of `parts` over sum of `wholes`, of which there is one each per problem (nan: there is no whole)."""
    if not wholes.sum():
        return Interval(np.nan, np.nan, np.nan)
    mean = float(parts.sum() / wholes.sum())
    if len(wholes) == 1:
        return Interval(mean, np.nan, np.nan)
    drawn = shares(len(wholes), resamples, seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = np.nanquantile(drawn @ parts / (drawn @ wholes), (0.025, 0.975))
    return Interval(mean, float(low), float(high))
