"""Requests to a policy or a PRM, without a scheduler."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ttcs.core import Continue, Continued, Judge, Judged, Trajectory


def ask(trajectory: Trajectory, max_steps: int | None = None, **changes: Any) -> Continue:
    return Continue(trajectory, max_steps, **{"max_tokens": None, "temperature": None, "seed": 0} | changes)


def finish(policy: Any, requests: Sequence[Continue]) -> list[Continued]:
    return _results(policy, requests)


def judge(prm: Any, trajectories: Sequence[Trajectory]) -> list[Judged]:
    return _results(prm, [Judge(trajectory) for trajectory in trajectories])


def _results(engine: Any, requests: Sequence[Any]) -> list[Any]:
    for ticket, request in enumerate(requests):
        engine.add(ticket, request)
    results: dict[int, Any] = {}
    while len(results) < len(requests):
        results |= dict(engine.step())
    return [results[ticket] for ticket in range(len(requests))]
