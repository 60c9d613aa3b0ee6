"""A stopping rule on recorded samples: what it would have cost and found, in any order of them; no model runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from ttcs.core import Candidate, Selection, Stopping


@dataclass(frozen=True, slots=True)
class Samples:
    """Independent samples of one problem, in the order in which they were drawn; tuples of one length.

    seen: as rules and selections see them. correct: None: there is no reference. tokens: None: not on record.
    """

    problem_id: str
    seen: tuple[Candidate, ...]
    correct: tuple[bool, ...] | None
    tokens: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Course:
    """What drawing samples until it is enough comes to; of several orders the mean. None: not on record.

    samples: that were needed. tokens: of these. speculated: tokens of the others, until it was enough.
    rounds: of samples side by side, one after another. latency: tokens that are decoded one after another.
    correct: whether the vote is right.
    """

    samples: float
    tokens: float | None
    speculated: float | None
    rounds: float
    latency: float | None
    correct: float | None


def orders(size: int, n: int, number: int) -> list[list[int]]:
    """So many orders to draw n of `size` samples in: the recorded one, then random ones, always the same."""
    generator = np.random.default_rng((0, size))
    mixed = [generator.permutation(size).tolist() for _ in range(number - 1)]
    return [order[:n] for order in (list(range(size)), *mixed)]


def enough(stopping: Stopping, drawn: Sequence[Candidate]) -> int:
    """Samples of the shortest beginning that is enough, all of them if none is."""
    return next((k for k in range(1, len(drawn)) if stopping(drawn[:k], len(drawn))), len(drawn))


def course(samples: Samples, order: Sequence[int], needed: int, ahead: int | None, selection: Selection) -> Course:
    """With the first `needed` of these samples, `ahead` more running beyond those that ended in order (None: all)."""
    chosen = selection([samples.seen[i] for i in order[:needed]])
    correct = None if samples.correct is None else float(chosen is not None and samples.correct[order[chosen]])
    rounds = 1 if ahead is None else -(-needed // (ahead + 1))
    if samples.tokens is None:
        return Course(needed, None, None, rounds, None, correct)
    tokens = [samples.tokens[i] for i in order]
    speculated, latency = clocked(tokens, needed, ahead)
    return Course(needed, sum(tokens[:needed]), speculated, rounds, latency, correct)


def clocked(tokens: Sequence[int], needed: int, ahead: int | None) -> tuple[int, int]:
    """Tokens of samples that were not needed, and the time in tokens until it was enough.

    A model of an engine that has room for all that may run, and decodes each of them at the same speed: a sample starts
    as soon as all but the `ahead` before it have ended, and what runs when it is enough is stopped at once.
    """
    starts, ends = [0], [tokens[0]]  # ends: when a sample and all before it have ended
    for i, own in enumerate(tokens[1:], 1):
        starts.append(0 if ahead is None or i <= ahead else ends[i - ahead - 1])
        ends.append(max(ends[-1], starts[-1] + own))
    latency = ends[needed - 1]
    others = zip(tokens[needed:], starts[needed:], strict=True)
    return sum(max(0, min(own, latency - start)) for own, start in others), latency


def over(
    samples: Samples, orders: Sequence[Sequence[int]], needed: Sequence[int], ahead: int | None, selection: Selection
) -> Course:
    """The mean over several orders, each with the samples that were needed."""
    each = zip(orders, needed, strict=True)
    return mean([course(samples, order, own, ahead, selection) for order, own in each])


def mean(courses: Sequence[Course]) -> Course:
    return Course(
        samples=fmean(one.samples for one in courses),
        tokens=_mean([one.tokens for one in courses]),
        speculated=_mean([one.speculated for one in courses]),
        rounds=fmean(one.rounds for one in courses),
        latency=_mean([one.latency for one in courses]),
        correct=_mean([one.correct for one in courses]),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known and len(known) == len(values) else None
