"""Which processor cores and GPUs a worker gets. Nothing here initialises CUDA, or needs torch."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig

from ttcs.errors import UserError
from ttcs.vllm.cards import cards

QUERY = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
MEASURES = "gpu_memory_utilization"  # a setting of vLLM's engines alone
OFF = "", "-1"  # what CUDA_VISIBLE_DEVICES says where there shall be no GPU


def environments(config: DictConfig) -> list[dict[str, str]]:
    """For each worker, the variables of its environment that differ from ours.

    Cores are divided evenly, unless OMP_NUM_THREADS is set. GPUs are divided into groups as large as one policy and PRM
    need; workers take the groups in turn, and share them when there are more workers than groups. UserError where an
    engine takes no such neighbour.
    """
    workers, span = config.workers, _span(config)
    cores = {} if "OMP_NUM_THREADS" in os.environ else {"OMP_NUM_THREADS": str(max(1, _cores() // workers))}
    groups = _groups(span)
    if groups and workers > len(groups) and any(MEASURES in config[model] for model in ("policy", "prm")):
        raise UserError(
            f"workers={workers}: vLLM measures its GPU's memory while it starts, so no two workers share one; there is "
            f"room for workers={len(groups)}, as policy and prm need {span} GPU{'s' * (span > 1)} for each"
        )
    groups = groups or [{}]
    return [cores | groups[place % len(groups)] for place in range(workers)]


def unused(config: DictConfig) -> str | None:
    """What a person should know of GPUs that no worker is given; None: there is none."""
    span = _span(config)
    if config.workers >= (room := len(_groups(span))):
        return None
    each = "each" if span == 1 else f"every {span}"
    return f"{config.workers * span} of {room * span} GPUs are used: workers={room} puts a policy and a PRM on {each}"


def _span(config: DictConfig) -> int:
    """How many GPUs one policy and PRM need."""
    return max(1 + max(gpus(config[model]), default=-1) for model in ("policy", "prm"))


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _groups(span: int) -> list[dict[str, str]]:
    """The environments that show `span` GPUs each; none where there is no GPU, or none is needed."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    gpus = _present() if named is None else [gpu for gpu in named.split(",") if gpu not in OFF]
    if not gpus or span == 0:
        return []
    if span > len(gpus):
        raise UserError(f"policy and prm name {span} GPUs, and there are {len(gpus)}")
    order = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"} if named is None else {}  # as nvidia-smi counts
    firsts = range(0, len(gpus) - span + 1, span)
    return [{"CUDA_VISIBLE_DEVICES": ",".join(gpus[first : first + span])} | order for first in firsts]


def _present() -> list[str]:
    """The GPUs of this machine; none where there is no driver to tell."""
    try:
        listed = subprocess.run(QUERY, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return []
    return listed.stdout.split()


def gpus(node: Mapping[str, Any]) -> set[int]:
    """Which GPUs a model needs, counted from a worker's first; none that names no device, as on a server.

    node: its configuration.
    """
    return set(cards(str(node.get("device", "cpu")), node))
