"""The exchange of pretraining and inference FLOPs (Snell et al., 2024, section 7).

A model of N parameters costs X = 6 N D_pre FLOPs to pretrain and Y = 2 N D_inf for all the tokens that it ever decodes.
M times the parameters cost M (X + Y). The small model may spend as much by decoding c times the tokens instead:

    X + c Y = M (X + Y)  =>  c = M + (X / Y) (M - 1) = M + 3 (D_pre / D_inf) (M - 1)

With R = D_inf / D_pre, the first version of the paper (v1) has c = M + 3 (M - 1) / R. The ICLR version counts
4 N D_inf, twice as much because a verifier reads what is decoded, so c = M + 3/2 (M - 1) / R.

Here c, the budget, is in samples: how many times the cost of one sample of the small policy a search may have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from analysis.estimates.pool import Floats
from analysis.runs.load import RecordsError
from ttcs.records.interval import RESAMPLES, Interval, shares


@dataclass(frozen=True, slots=True)
class Pair:
    """A small policy and a larger one, on the problems of one bin; means per problem.

    sample_flops: of one sample of the small policy, no PRM. large_tokens, large_flops: of one greedy solution of the
    larger policy (None: it is known by its accuracy alone).
    """

    small: int  # parameters
    large: int
    sample_flops: float
    large_tokens: float | None
    large_flops: float | None


class Accounting(Protocol):
    """How FLOPs are counted. unit: the column of estimates that a budget is measured in; ratios: the R of the paper."""

    @property
    def unit(self) -> str: ...

    @property
    def ratios(self) -> tuple[float, ...]: ...

    def budget(self, pair: Pair, ratio: float) -> float:
        """The c at which both cost the same, in samples of the small policy."""
        ...


@dataclass(frozen=True, slots=True)
class Nominal:
    """c = M + weight (M - 1) / R: a token costs 2 N FLOPs whatever it attends to, and every model writes equally long.

    weight: X / Y at R = 1, 3 in v1 and 3/2 in the ICLR version.
    """

    weight: float
    ratios: tuple[float, ...]
    unit: str = "tokens"

    def budget(self, pair: Pair, ratio: float) -> float:
        scale = pair.large / pair.small
        return scale + self.weight * (scale - 1) / ratio


@dataclass(frozen=True, slots=True)
class Exact:
    """The same equation with the FLOPs of the ledgers, those of the PRM included.

    Over q problems the larger policy costs 6 N_l D_pre + q F_l and the small one 6 N_s D_pre + q F_s. One greedy
    solution of the larger one has T_l tokens, so D_inf = q T_l and D_pre / q = T_l / R. Both cost the same at

        F_s = F_l + 6 (N_l - N_s) T_l / R

    and c = F_s / (FLOPs of one sample of the small policy). With F = 2 N T for both this is v1. The training of the PRM
    is not counted, as in the paper.
    """

    ratios: tuple[float, ...]
    unit: str = "flops"

    def budget(self, pair: Pair, ratio: float) -> float:
        if pair.large_flops is None or pair.large_tokens is None:
            raise RecordsError(
                "accounting=exact needs a greedy run of the larger policy: without it no FLOPs are known"
            )
        pretraining = 6 * (pair.large - pair.small) * pair.large_tokens / ratio
        return (pair.large_flops + pretraining) / pair.sample_flops


ACCOUNTINGS: dict[str, Accounting] = {
    "v1": Nominal(3.0, (0.16, 0.79, 22.0)),
    "iclr": Nominal(1.5, (0.08, 0.4, 11.0)),
    "exact": Exact((0.16, 0.79, 22.0)),
}


def accounting(name: str) -> Accounting:
    if name not in ACCOUNTINGS:
        raise RecordsError(f"unknown accounting {name!r}: one of {', '.join(ACCOUNTINGS)}")
    return ACCOUNTINGS[name]


def read_off(budgets: Sequence[float], accuracies: Floats, at: float) -> Floats | None:
    """The value at budget `at` of lines drawn over log2 of the budget; None where they have not begun.

    budgets: ascending. accuracies: (lines, budgets). Beyond the largest budget nothing is extrapolated: a line ends
    there, and its last value is returned.
    """
    if at < budgets[0]:
        return None
    place = int(np.searchsorted(budgets, at, side="right"))
    if place == len(budgets):
        return accuracies[:, -1]
    low, high = budgets[place - 1], budgets[place]
    share = np.log2(at / low) / np.log2(high / low)
    between: Floats = (1 - share) * accuracies[:, place - 1] + share * accuracies[:, place]
    return between


def relative_change(small: Floats, large: Floats, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Accuracy of the small model over that of the larger one, less 1; one value per problem, paired.

    Percentile bootstrap over problems. nan where the larger model solves nothing; an end is inf where it does so in
    more than a 40th of the resamples.
    """
    if not large.any():
        return Interval(np.nan, np.nan, np.nan)
    change = float(small.mean() / large.mean() - 1)
    if len(small) == 1:
        return Interval(change, np.nan, np.nan)
    drawn = shares(len(small), resamples, seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        changes = drawn @ small / (drawn @ large) - 1  # nan: neither solves anything
    low, high = np.nanquantile(changes, (0.025, 0.975), method="inverted_cdf")
    return Interval(change, float(low), float(high))
