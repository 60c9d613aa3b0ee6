"""How long each evaluation was to think: a_min and a_max of Control (Muennighoff et al., 2025, appendix E.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, nan
from typing import Any

from analysis.papers.budgets import FORCING, waited
from analysis.papers.thinking import Evaluation

Limits = tuple[float, float]
UNKNOWN = nan, nan


def limits(found: Sequence[Evaluation], step_tokens: int) -> list[Limits]:
    """Least and most mean thinking tokens of each evaluation (nan: not known).

    Steps count `step_tokens` each. Short thinking is to be shorter, and long thinking longer, than what the policy does
    unasked: the run of budget forcing that never waits and has the largest budget.
    """
    natural = _natural(found)
    return [_limits(one.strategy, one.fields, step_tokens, natural) for one in found]


def _limits(strategy: str, fields: Mapping[str, Any], step_tokens: int, natural: float | None) -> Limits:
    if strategy == "class_conditional":
        if natural is None:
            return UNKNOWN
        return (0.0, natural) if fields.get("length") == "short" else (natural, inf)
    if strategy == "step_conditional":
        return 0.0, float(step_tokens * fields["steps"])
    if fields.get("thinking") is None:
        return UNKNOWN
    return float(fields.get("least") or 0), float(fields["thinking"])


def _natural(found: Sequence[Evaluation]) -> float | None:
    free = [one for one in found if one.strategy == FORCING and not waited(one.fields) and one.fields.get("thinking")]
    if not free:
        return None
    return float(max(free, key=lambda one: one.fields["thinking"]).per_problem("thinking").mean())
