"""The work of a few problems -> what many will cost, with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ttcs.errors import UserError
from ttcs.planning.machine import Machine
from ttcs.planning.work import Work

RESAMPLES = 2000
QUANTITIES = ("decoded_tokens", "prm_tokens", "flops", "hours", "cost")
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Amount:
    """An expected total and the ends of its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """Totals of a run or a sweep. draws: (RESAMPLES, quantities), what the intervals are quantiles of."""

    mean: Floats
    draws: Floats

    def amounts(self) -> dict[str, Amount]:
        low, high = np.quantile(self.draws, (0.025, 0.975), axis=0)
        ends = zip(QUANTITIES, self.mean, low, high, strict=True)
        return {name: Amount(float(mean), float(least), float(most)) for name, mean, least, most in ends}


def estimate(works: Sequence[Work], problems: int, machine: Machine) -> Estimate:
    """Means over the problems at hand, times the number planned.

    The bootstrap draws twice: which problems a pilot happens to have, and which of their like the run then meets.
    """
    if len(works) < 2:
        raise UserError(
            f"a pilot of {len(works)} problems says nothing about the spread: 2 are the least, 20 are better"
        )
    costs = np.array([_costs(work, machine) for work in works])
    draw = np.random.default_rng(0)
    pilots = draw.integers(len(costs), size=(RESAMPLES, len(costs)))
    draws = np.stack([costs[draw.choice(pilot, problems)].sum(axis=0) for pilot in pilots])
    return Estimate(costs.mean(axis=0) * problems, draws)


def total(estimates: Sequence[Estimate]) -> Estimate:
    """Of a sweep. Its points meet the same problems, dear for one and all: draws are added as they come."""
    return Estimate(
        np.sum([each.mean for each in estimates], axis=0), np.sum([each.draws for each in estimates], axis=0)
    )


def _costs(work: Work, machine: Machine) -> tuple[float, ...]:
    hours = machine.seconds(work) / 3600
    return work.decoded, work.prm_tokens, work.policy_flops + work.prm_flops, hours, hours * machine.price
