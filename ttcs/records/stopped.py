"""What a stopping rule comes to over the problems of a run, beside the vote of all n."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from ttcs.records import early
from ttcs.records.early import Course
from ttcs.records.interval import Interval, interval, ratio

Ends = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Asked:
    """rule: its name, and its settings. ahead: how many samples run beyond those that have ended (None: all of n).

    orders: of the samples, for each problem. records: the folder of the run.
    """

    rule: dict[str, Any]
    selection: str
    reduction: str
    n: int
    ahead: int | None
    orders: int
    records: str

    @property
    def label(self) -> str:
        """beta threshold=0.95"""
        name, *settings = self.rule.items()
        return " ".join([str(name[1]), *(f"{key}={value}" for key, value in settings)])


@dataclass(frozen=True, slots=True)
class Stopped:
    """accuracy, ci95, n_problems, n_graded: as in `Summary`, of the mean over the orders.

    course: means per problem. fixed: the same of the vote of all n, which are sampled side by side. difference: of the
    two accuracies, paired by problem and order. share: of the tokens of the vote of all n, those of `course` (of its
    samples, where no record says tokens). Intervals are percentile bootstrap over problems; None: not known.
    """

    accuracy: float | None
    ci95: Ends | None
    n_problems: int
    n_graded: int
    difference: float | None
    difference_ci95: Ends | None
    share: float
    share_ci95: Ends | None
    course: Course
    fixed: Course
    asked: Asked

    @classmethod
    def of(cls, found: Sequence[Course], fixed: Sequence[Course], asked: Asked) -> Self:
        """found, fixed: a mean per problem, in the same order of the problems."""
        correct = [(one.correct, other.correct) for one, other in zip(found, fixed, strict=True)]
        graded = [(one, other) for one, other in correct if one is not None and other is not None]
        accuracy = interval([one for one, _ in graded]) if graded else None
        difference = interval([one - other for one, other in graded]) if graded else None
        share = _share(found, fixed)
        return cls(
            accuracy=accuracy and accuracy.mean,
            ci95=_ends(accuracy),
            n_problems=len(found),
            n_graded=len(graded),
            difference=difference and difference.mean,
            difference_ci95=_ends(difference),
            share=share.mean,
            share_ci95=_ends(share),
            course=early.mean(found),
            fixed=early.mean(fixed),
            asked=asked,
        )

    def to_json(self) -> str:
        """The fields of `asked` stand beside the others."""
        flat = asdict(self)
        asked = flat.pop("asked")
        return json.dumps({**flat, **asked}, indent=2, allow_nan=False) + "\n"


def _share(found: Sequence[Course], fixed: Sequence[Course]) -> Interval:
    """Of the tokens, or where these are not on record, of the samples."""
    tokens = [(one.tokens, other.tokens) for one, other in zip(found, fixed, strict=True)]
    known = [(one, other) for one, other in tokens if one is not None and other is not None]
    counted = [(one.samples, other.samples) for one, other in zip(found, fixed, strict=True)]
    parts, wholes = np.asarray(known if len(known) == len(tokens) else counted, dtype=np.float64).T
    return ratio(parts, wholes)


def _ends(value: Interval | None) -> Ends | None:
    return None if value is None or np.isnan(value.low) else (value.low, value.high)
