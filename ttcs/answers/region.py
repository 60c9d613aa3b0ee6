"""Sets of real numbers: intervals, single points, their unions and differences."""

from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf

from ttcs.answers.form import Undecided
from ttcs.answers.scalar import Scalar

MINUS, PLUS = Scalar("-oo", -inf), Scalar("oo", inf)


@dataclass(frozen=True, slots=True)
class Interval:
    """From low to high; a single point where both are the same and closed."""

    low: Scalar
    high: Scalar
    low_closed: bool
    high_closed: bool

    @property
    def text(self) -> str:
        # An open interval is written as an ordered pair is, and no more than the reader can we tell which is meant.
        if _single(self):
            return self.low.key
        return f"{'[' if self.low_closed else '('}{self.low.key},{self.high.key}{']' if self.high_closed else ')'}"


def _single(part: Interval) -> bool:
    return part.low.key == part.high.key and part.low_closed and part.high_closed and part.low not in (MINUS, PLUS)


def point(at: Scalar) -> Interval:
    return Interval(at, at, True, True)


def place(end: Scalar) -> float:
    if end.value is None:
        raise Undecided(f"{end.key} has no place on the real line")
    return end.value


def text(intervals: list[Interval]) -> str:
    """Canonical text of a union: sorted, and with no two parts that touch."""
    parts = union(intervals)
    if not parts:
        return "{}"
    if all(part.low.key == part.high.key for part in parts) and len(parts) > 1:
        return "{" + ",".join(sorted(part.text for part in parts)) + "}"
    return "∪".join(part.text for part in parts)


def union(intervals: list[Interval]) -> list[Interval]:
    """Merge what overlaps or touches. A lone interval is left alone, in order or not, since it may be a pair."""
    if len(intervals) < 2:
        return intervals
    ordered = sorted(intervals, key=lambda part: (place(part.low), not part.low_closed))
    merged = ordered[:1]
    for part in ordered[1:]:
        last = merged[-1]
        gap = place(part.low) - place(last.high)
        if gap > 0 or (gap == 0 and not (last.high_closed or part.low_closed)):
            merged.append(part)
        elif place(part.high) > place(last.high) or (place(part.high) == place(last.high) and part.high_closed):
            merged[-1] = replace(last, high=part.high, high_closed=part.high_closed)
    return merged


def complement(intervals: list[Interval]) -> list[Interval]:
    """All real numbers but these."""
    edges = [Interval(MINUS, MINUS, True, False), *union(intervals), Interval(PLUS, PLUS, False, True)]
    gaps = [Interval(a.high, b.low, not a.high_closed, not b.low_closed) for a, b in pairwise(edges)]
    return [
        replace(gap, low_closed=gap.low_closed and gap.low != MINUS, high_closed=gap.high_closed and gap.high != PLUS)
        for gap in gaps
        if place(gap.low) < place(gap.high) or _single(gap)
    ]


def intersection(a: list[Interval], b: list[Interval]) -> list[Interval]:
    return complement([*complement(a), *complement(b)])
