"""Control, scaling and performance of a way to set the length of thinking (Muennighoff et al., 2025, section 3.2).

An evaluation is one run over a dataset: (mean thinking tokens, accuracy). All functions take arrays whose last axis are
the evaluations of a method, so that a resample is a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimates.pool import Floats
from analysis.runs.load import RecordsError
from ttcs.records.interval import Interval, shares

AXES = ("log2", "tokens")  # that a slope is measured on
METRICS = ("control", "scaling", "performance")
SLACK = 1e-9  # of a number of tokens: means that are equal but for rounding are equal


@dataclass(frozen=True, slots=True)
class Measured:
    """The metrics of a method over all problems, and in every resample of them. (3,) and (resamples, 3), as METRICS."""

    whole: Floats
    resampled: Floats


def control(tokens: Floats, least: Floats, most: Floats) -> Floats:
    """Share, in %, of the evaluations whose tokens lie in the limits that they were given (nan: one has none)."""
    within = 100.0 * ((tokens >= least * (1 - SLACK)) & (tokens <= most * (1 + SLACK))).mean(axis=-1)
    unknown = bool(np.isnan(least).any() or np.isnan(most).any())
    return np.full_like(within, np.nan) if unknown else within


def scaling(tokens: Floats, accuracy: Floats, x: str = "log2") -> Floats:
    """Mean slope over all pairs of evaluations, in points of accuracy per doubling of the tokens, or per token.

    x: `log2` as in the paper's Table 3, or `tokens` as in its equation. A pair with equal tokens has no slope and is
    left out (nan: no pair has one). Evaluations with nearly equal tokens have a steep one, whichever its sign.
    """
    if x not in AXES:
        raise RecordsError(f"x={x}: a slope is over {' or '.join(AXES)}")
    if x == "log2" and (tokens <= 0).any():
        raise RecordsError(
            "an evaluation without thinking tokens has no place on a log2 axis: leave it out, or x=tokens"
        )
    at = np.log2(tokens) if x == "log2" else tokens
    first, second = np.triu_indices(tokens.shape[-1], 1)
    run, rise = at[..., second] - at[..., first], accuracy[..., second] - accuracy[..., first]
    apart = ~np.isclose(tokens[..., second], tokens[..., first], rtol=SLACK, atol=0)
    count = apart.sum(axis=-1)
    slopes = np.divide(rise, run, out=np.zeros_like(run), where=apart).sum(axis=-1)
    means: Floats = np.divide(slopes, count, out=np.full_like(slopes, np.nan), where=count > 0)
    return means


def performance(accuracy: Floats) -> Floats:
    """The best accuracy of any evaluation. It is biased upwards, as a maximum of noisy means is."""
    best: Floats = accuracy.max(axis=-1)
    return best


def measured(
    tokens: pd.DataFrame, correct: pd.DataFrame, limits: Sequence[tuple[float, float]], x: str, resamples: int
) -> Measured:
    """The metrics of one method from values per problem (rows) and evaluation (columns).

    limits: of each evaluation. Resampled are the problems, the same ones in all evaluations, so that methods on the
    same problems can be compared resample by resample.
    """
    least, most = np.array(limits, dtype=np.float64).T
    draws = np.concatenate([np.full((1, len(tokens)), 1 / len(tokens)), shares(len(tokens), resamples, 0)])
    at, accuracy = (draws @ table.to_numpy(np.float64) for table in (tokens, 100.0 * correct))
    values = np.stack([control(at, least, most), scaling(at, accuracy, x), performance(accuracy)], axis=-1)
    return Measured(values[0], values[1:])


def interval(one: Measured, other: Measured | None = None) -> dict[str, Interval]:
    """Metric -> its value and 95 % interval; of two methods that of the first less the second, paired by problem."""
    whole = one.whole if other is None else one.whole - other.whole
    drawn = one.resampled if other is None else one.resampled - other.resampled
    return {name: _percentiles(whole[k], drawn[:, k]) for k, name in enumerate(METRICS)}


def _percentiles(value: float, drawn: Floats) -> Interval:
    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or not len(known):
        return Interval(float(value), np.nan, np.nan)
    low, high = np.quantile(known, (0.025, 0.975))
    return Interval(float(value), float(low), float(high))
