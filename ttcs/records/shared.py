"""A budget for a whole problem set on recorded samples, against the same n for every problem at as many tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from math import inf, isnan
from statistics import fmean
from typing import Self

from ttcs.choice.sharing import Draw, Sharing
from ttcs.core import Candidate, Selection
from ttcs.errors import UserError
from ttcs.records.early import Samples
from ttcs.records.interval import interval

Pair = tuple[float, float]

CUT = Candidate(None, -inf)  # the sample in which the tokens run out


@dataclass(frozen=True, slots=True)
class Shares:
    """One order of the samples: how many of each problem, those that n for each would have been, rounds, and tokens.

    samples: without the one in which the tokens ran out. tokens, equal_tokens: of all problems (samples, where no
    record says tokens).
    """

    samples: tuple[int, ...]
    n: int
    rounds: int
    tokens: int
    equal_tokens: int


@dataclass(frozen=True, slots=True)
class Asked:
    """n: of every problem, where nothing is shared. orders: of the samples. records: the folder of the run."""

    n: int
    selection: str
    reduction: str
    orders: int
    tokens: int | None
    block: int
    part: float
    records: str


@dataclass(frozen=True, slots=True)
class Shared:
    """Means over the orders. accuracy: of the shared budget, equal_accuracy: of n for every problem.

    difference: of the two, paired by problem and order, with its percentile bootstrap interval over problems; None:
    there are no references. spent, equal_spent: tokens per problem. least, most: samples that a problem got.
    """

    accuracy: float | None
    equal_accuracy: float | None
    difference: float | None
    difference_ci95: tuple[float, float] | None
    n_problems: int
    n_graded: int
    spent: float
    equal_spent: float
    rounds: float
    least: float
    most: float
    asked: Asked

    @classmethod
    def of(cls, problems: Sequence[Samples], found: Sequence[Shares], correct: Sequence[Pair], asked: Asked) -> Self:
        """found: for each order. correct: of each problem that has a reference (see `graded`)."""
        difference = interval([one - other for one, other in correct]) if correct else None
        return cls(
            accuracy=fmean(one for one, _ in correct) if correct else None,
            equal_accuracy=fmean(other for _, other in correct) if correct else None,
            difference=None if difference is None else difference.mean,
            difference_ci95=None if difference is None or isnan(difference.low) else (difference.low, difference.high),
            n_problems=len(problems),
            n_graded=len(correct),
            spent=fmean(one.tokens for one in found) / len(problems),
            equal_spent=fmean(one.equal_tokens for one in found) / len(problems),
            rounds=fmean(one.rounds for one in found),
            least=fmean(min(one.samples) for one in found),
            most=fmean(max(one.samples) for one in found),
            asked=asked,
        )

    def to_json(self) -> str:
        """The fields of `asked` stand beside the others."""
        flat = asdict(self)
        asked = flat.pop("asked")
        return json.dumps({**flat, **asked}, indent=2, allow_nan=False) + "\n"


@dataclass(slots=True)
class Recorded:
    """Draws what is on record, as far as the tokens last.

    seen, costs: of each problem, sample by sample. left: tokens. samples: that each problem got whole.
    """

    seen: Sequence[Sequence[Candidate]]
    costs: Sequence[Sequence[int]]
    left: int
    samples: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.samples = [0] * len(self.seen)

    def draw(self, wanted: Sequence[Draw]) -> list[Candidate]:
        found: list[Candidate] = []
        for i, k in wanted:
            if not self.left:
                break
            whole = self.costs[i][k] <= self.left
            found.append(self.seen[i][k] if whole else CUT)
            self.samples[i] += whole
            self.left -= min(self.costs[i][k], self.left)
        return found


def shares(problems: Sequence[Samples], order: Sequence[int], n: int, sharing: Sharing) -> Shares:
    """Samples in this order, n of each problem or shared out, until the tokens are spent: nothing is drawn beyond."""
    costs = [_costs(one, order) for one in problems]
    equal = sum(sum(own[:n]) for own in costs)
    budget = equal if sharing.tokens is None else sharing.tokens
    recorded = Recorded([[one.seen[i] for i in order] for one in problems], costs, budget)
    rounds = sharing.share_out(len(problems), len(order), recorded.draw)
    return Shares(tuple(recorded.samples), n, rounds, budget - recorded.left, equal)


def graded(
    problems: Sequence[Samples], orders: Sequence[Sequence[int]], found: Sequence[Shares], selection: Selection
) -> list[Pair]:
    """Of each problem that has a reference, how often the shared budget and n for every problem answer rightly."""
    means = []
    for i, one in enumerate(problems):
        if one.correct is not None:
            each = list(zip(orders, found, strict=True))
            ours = [_right(one, order[: own.samples[i]], selection) for order, own in each]
            means.append((fmean(ours), fmean(_right(one, order[: own.n], selection) for order, own in each)))
    return means


def check(n: int, size: int, sharing: Sharing) -> None:
    """UserError where there is nothing to share out."""
    if n >= size:
        raise UserError(f"n={n} is all of the {size} samples of each problem: a shared budget needs a smaller n")
    if sharing.block > n:
        raise UserError(f"budget.block={sharing.block} is more than n={n}: there would be problems without a sample")


def _costs(samples: Samples, order: Sequence[int]) -> list[int]:
    return [1 if samples.tokens is None else samples.tokens[i] for i in order]


def _right(samples: Samples, drawn: Sequence[int], selection: Selection) -> float:
    chosen = selection([samples.seen[i] for i in drawn])
    return float(chosen is not None and samples.correct is not None and samples.correct[drawn[chosen]])
