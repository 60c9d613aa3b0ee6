"""What the replays of votes are asked, and how they answer."""

from __future__ import annotations

from typing import Any

from ttcs.config.given import Given
from ttcs.config.identity import plain
from ttcs.records.stored import Stored

ORDERS = 20  # of the samples of each problem, where nothing is said


def method(run: Stored, point: Given) -> dict[str, Any]:
    """The configuration of selection and reduction: what was given, and for the rest what the run had."""
    groups = "selection", "reduction"
    return {key: plain(point.config[key]) if key in point.keys else run.config[key] for key in groups}


def names(run: Stored, point: Given) -> dict[str, str]:
    """Of selection and reduction, as `method` has them."""
    chosen = {group: point.choice(group) for group in ("selection", "reduction")}
    return {group: name if group in point.keys else getattr(run.setting, group) for group, name in chosen.items()}


def difference(mean: float | None, ends: tuple[float, float] | None) -> str:
    """Of accuracies, in points: -0.4 [-1.2, +0.4]."""
    if mean is None:
        return ""
    return f"{100 * mean:+.1f}" if ends is None else f"{100 * mean:+.1f} [{100 * ends[0]:+.1f}, {100 * ends[1]:+.1f}]"
