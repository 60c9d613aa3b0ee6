"""Step scores -> one score for the solution; a solution without scores is worth -inf.

Snell et al. (2024), section 5.1, use `last` and ablate `min` and `prod`; `mean` is here for comparison.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence


def last(scores: Sequence[float]) -> float:
    return scores[-1] if scores else -math.inf


def min(scores: Sequence[float]) -> float:
    return builtins.min(scores, default=-math.inf)


def prod(scores: Sequence[float]) -> float:
    return math.prod(scores) if scores else -math.inf


def mean(scores: Sequence[float]) -> float:
    return math.fsum(scores) / len(scores) if scores else -math.inf
