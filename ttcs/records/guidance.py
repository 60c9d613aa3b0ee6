"""Whether a search goes by scores, from its configuration alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ttcs.config.named import named

GUIDES = {"rank", "table"}  # settings by which a strategy goes by scores: at every step, or to choose its method


def guided(strategy: Mapping[str, Any]) -> bool:
    """Whether the search itself has solutions scored. strategy: its configuration."""
    rule = strategy.get("stopping")
    scored = rule is not None and bool(named(rule["_target_"], "strategy.stopping").reads_scores)
    return scored or not GUIDES.isdisjoint(strategy) or strategy.get("sure") is not None
