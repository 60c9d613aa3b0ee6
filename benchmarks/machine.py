"""Where a measurement was taken, and how busy that place was with other things."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers

from benchmarks.harness import Effort, Result

QUIET = 0.95


@dataclass(frozen=True, slots=True)
class Machine:
    """threads: of torch. load: the system's one-minute average, at the beginning and at the end.

    share: processor time over wall time of the timed runs, per thread: how much of its cores this process got.
    """

    processor: str
    cores: int
    threads: int
    load: tuple[float, float]
    share: float | None
    versions: str
    effort: Effort

    @classmethod
    def now(cls, before: float, results: Iterable[Result], effort: Effort) -> Machine:
        times = [(s.wall, s.cpu) for r in results for s in r.sides.values() if s.wall is not None and s.cpu is not None]
        wall, cpu = (sum(column) for column in zip(*times, strict=True)) if times else (0.0, 0.0)
        versions = (
            f"Python {platform.python_version()}, torch {torch.__version__}, transformers {transformers.__version__}"
        )
        share = cpu / wall / torch.get_num_threads() if wall else None
        load = before, os.getloadavg()[0]
        return cls(processor(), os.cpu_count() or 1, torch.get_num_threads(), load, share, versions, effort)

    def __str__(self) -> str:
        effort = f"{self.effort.runs} runs of each way after one to warm up, {self.effort.problems} problems"
        share = ""
        if self.share is not None:
            quiet = "" if self.share >= QUIET else ": other work was in the way, so trust the column of CPU times"
            share = f" The timed runs had {self.share:.0%} of their cores{quiet}."
        return (
            f"{self.processor}, {self.cores} cores, torch on {self.threads} thread{'s' * (self.threads > 1)}, "
            f"{self.versions}; {effort}; load {self.load[0]:.1f} before and {self.load[1]:.1f} after.{share}"
        )


def processor() -> str:
    """The model of the CPU, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
