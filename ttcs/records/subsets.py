"""The smaller runs that a pool of candidates holds."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 400  # random subsets per problem and k: a standard error of 2.5 points for one problem, 0.1 for 500

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def subsets(units: int, k: int, resamples: int, seed: int) -> Ints:
    """Subsets of size k, one per row, each sorted: all of them if there are few (or k is 1), else random ones."""
    if k == 1 or comb(units, k) <= resamples:
        return np.array(list(combinations(range(units), k)), dtype=np.int64)
    rng = np.random.default_rng((seed, units, k))
    order = rng.permuted(np.tile(np.arange(units), (resamples, 1)), axis=1)
    return np.sort(order[:, :k], axis=1)


def top_weights(n: int, k: int) -> Floats:
    """Probability that rank r = 0..n-1 is the best in a random subset of size k: C(n-1-r, k-1) / C(n, k)."""
    rank = np.arange(n - 1)
    steps = np.maximum(n - k - rank, 0) / (n - 1 - rank)
    return k / n * np.concatenate(([1.0], np.cumprod(steps)))
