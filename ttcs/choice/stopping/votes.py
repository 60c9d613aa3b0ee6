"""The votes among samples so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ttcs.core import Candidate


def votes(drawn: Sequence[Candidate]) -> Counter[int]:
    """Answer -> votes, the answer seen first first."""
    return Counter([sample.answer for sample in drawn if sample.answer is not None])


def leaders(counted: Counter[int]) -> tuple[int, int]:
    """The votes of the leading answer and of the one after it; 0 where there is none."""
    *_, second, first = 0, 0, *sorted(counted.values())
    return first, second
