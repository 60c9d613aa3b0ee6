"""How sure the simulated policy is of what it writes: of a right step more than of a wrong one, most of the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from math import nan
from zlib import crc32

from ttcs.core import Step, Stop
from ttcs.policies.sureness import confidence

RIGHT, WRONG, SPREAD = 12.0, 10.0, 4.0  # of a step; its text decides where in the spread


def weighed(steps: Sequence[Step], least: tuple[float, int] | None) -> list[Step]:
    """The steps with their confidence, the same for all tokens of a step, as far as no window is below the least."""
    told = [sureness(step) for step in steps for _ in step.tokens]
    threshold, size = least or (0.0, len(told) + 1)
    sums = [0.0, *accumulate(told)]
    windows = {end: (sums[end] - sums[end - size]) / size for end in range(size, len(told) + 1)}
    last = next((end for end, mean in windows.items() if mean < threshold), len(told))
    found: list[Step] = []
    start = 0
    for step in steps:
        kept = step.tokens[: last - start]
        if not kept:
            break
        end = start + len(kept)
        before = [windows.get(at, nan) for at in range(1, end + 1)]
        whole = len(kept) == len(step.tokens)
        doubted = end == last < len(told) or (before[-1] < threshold and step.stop is not Stop.END)
        text = step.text if whole else step.text[: len(step.text) * len(kept) // len(step.tokens)]
        sure = confidence(told[start:end], before, start)
        stop = Stop.DOUBT if doubted else step.stop
        found.append(replace(step, tokens=kept, text=text, stop=stop, confidence=sure))
        start = end
    return found


def sureness(step: Step) -> float:
    """Of each token of a step."""
    share = crc32(step.text.encode()) % 1000 / 1000
    return (WRONG if " err " in step.text else RIGHT) + SPREAD * (share - 0.5)
