"""What memory the engines leave, and what to set."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import Any

from ttcs.core import PRM, Policy

QUERY = ["nvidia-smi", "--query-gpu=index,memory.used,memory.total", "--format=csv,noheader,nounits"]
SPARE = 0.15  # share of a GPU that is worth giving to caches
ROOM = 16  # solutions: fewer side by side leave a GPU idle


def told(policy: Policy, prm: PRM, config: Mapping[str, Any]) -> list[str]:
    """Lines for a person. config: of the two, resolved."""
    return [
        *_room("policy", policy.cache_tokens, policy.max_tokens, policy.capacity),
        *_room("prm", prm.cache_tokens, policy.max_tokens, prm.capacity),
        *(_gpu(line, config) for line in _gpus()),
    ]


def _room(name: str, tokens: int | None, longest: int, capacity: int) -> list[str]:
    """longest: tokens of a solution. capacity: requests at once."""
    if tokens is None:
        return [f"{name}: its engine does not say how much it caches; {capacity} requests at once"]
    fits = tokens // longest
    advice = f"; raise {name}.gpu_memory_utilization or {name}.cache_gb" if fits < min(ROOM, capacity) else ""
    return [f"{name}: caches {tokens:,} tokens, {fits} of the longest solutions; {capacity} requests at once{advice}"]


def _gpus() -> list[str]:
    """`index, used, total` in MiB; none where there is no driver to tell."""
    try:
        return subprocess.run(QUERY, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return []


def _gpu(line: str, config: Mapping[str, Any]) -> str:
    index, used, total = (int(part) for part in line.split(","))
    free = total - used
    said = f"GPU {index}: {free / 1024:.1f} of {total / 1024:.1f} GiB are free"
    if free < SPARE * total or not any("gpu_memory_utilization" in config[model] for model in ("policy", "prm")):
        return said
    return f"{said}; the gpu_memory_utilization of the two may be {free / total - 0.08:.2f} more in all"
