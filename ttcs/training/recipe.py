"""Runs training stages one after the other, each in processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ttcs.errors import UserError


@dataclass(frozen=True, slots=True)
class Run:
    """A stage and how it is spread over processes: `alone`, data-parallel under torchrun (`ranks`), or by `shards`.

    Done once `out` exists, and not run again (None: it knows itself what is done). arguments: what is added to its
    command. module: another command of the project where this is no stage, a run that later stages read the records
    of, say; `stage` is then only its name.
    """

    stage: str
    out: str | None = None
    spread: Literal["alone", "ranks", "shards"] = "alone"
    arguments: Sequence[str] = ()
    module: str = "ttcs.training"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Stage: other stages in order. processes: for the stages that spread; overrides: handed on to every stage."""

    runs: Sequence[Run]
    processes: int
    overrides: Sequence[str] = ()

    def run(self) -> None:
        for run in self.runs:
            if run.out is not None and Path(run.out).exists():
                print(f"{run.stage}: done ({run.out})")
                continue
            environment = os.environ | {"OMP_NUM_THREADS": "1"}
            children = [subprocess.Popen(command, env=environment) for command in self.commands(run)]
            codes = [child.wait() for child in children]
            if any(codes):
                raise UserError(f"stage {run.stage} failed, see above; the same command goes on from what is done")

    def commands(self, run: Run) -> list[list[str]]:
        """One command a process to start."""
        if run.module != "ttcs.training":
            return [[sys.executable, "-m", run.module, *run.arguments]]
        stage = [run.module, f"stage={run.stage}", *self.overrides, *run.arguments]
        if run.spread == "ranks":
            return [[sys.executable, "-m", "torch.distributed.run", f"--nproc_per_node={self.processes}", "-m", *stage]]
        if run.spread == "shards":
            shards = [f"stage.shards={self.processes}"]
            return [[sys.executable, "-m", *stage, *shards, f"stage.shard={i}"] for i in range(self.processes)]
        return [[sys.executable, "-m", *stage]]
