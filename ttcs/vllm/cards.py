"""Which GPUs an engine is on, and what share of each it takes. Nothing here initialises CUDA, or needs torch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import prod
from typing import Any

from ttcs.errors import UserError

ALONE, BESIDE = 0.9, 0.45  # of each GPU's memory; the rest is for what an engine, or two, need beside
PARALLEL = "tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size"


def cards(device: str, settings: Mapping[str, Any]) -> range:
    """Its GPUs, counted from the first that its process sees; none on a CPU.

    device: `cuda:N` names the first. settings: of the engine, with vLLM's further arguments in `extra`. UserError for a
    size that is none.
    """
    if device == "cpu":
        return range(0)
    number = re.fullmatch(r"cuda:(\d+)", device)
    first = int(number[1]) if number else 0
    given = {**settings, **(settings.get("extra") or {})}
    sizes = {name: size for name in PARALLEL if (size := given.get(name)) is not None}
    for name, size in sizes.items():
        if type(size) is not int or size < 1:
            raise UserError(f"{name}={size} is not a whole number of at least 1")
    return range(first, first + prod(sizes.values()))
