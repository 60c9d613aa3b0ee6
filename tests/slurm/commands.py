"""Sweeps of scripted pairs as commands, and what they leave behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from ttcs.records.folder import RECORDS
from ttcs.records.record import Record
from ttcs.records.record_file import read
from ttcs.running.launchers.slurm import NOTE

SCRIPTED = ["policy=scripted", "prm=scripted", "n=2", "-m"]
SLURM = ["launcher=slurm", "launcher.cpus_per_task=1", "launcher.mem=null"]
SLOW = ["policy._target_=tests.slurm.slow.SlowPolicy", "policy.capacity=1"]  # 0.6 s a problem
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    said: str


@dataclass(frozen=True, slots=True)
class Command:
    """A sweep at work in a folder of its own."""

    folder: Path
    process: subprocess.Popen[bytes]
    output: Path

    @classmethod
    def start(cls, folder: Path, *arguments: str) -> Command:
        folder.mkdir(exist_ok=True)
        line = [sys.executable, "-m", "ttcs", *SCRIPTED, *arguments]
        environment = os.environ | {"COLUMNS": "200", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        output = folder / f"said-{len(list(folder.iterdir()))}.txt"
        with output.open("w") as file:
            process = subprocess.Popen(line, cwd=folder, env=environment, stdout=file, stderr=file)
        return cls(folder, process, output)

    def said(self) -> str:
        return self.output.read_text()

    def ended(self) -> Ended:
        code = self.process.wait(timeout=300)
        return Ended(code, self.said())


def sweep(folder: Path, *arguments: str) -> Ended:
    return Command.start(folder, *arguments).ended()


def runs(folder: Path) -> dict[str, dict[str, Record]]:
    """strategy and folder's name, up to the digest -> problem id -> record; no problem stands there twice."""
    found = {}
    for path in sorted((folder / "outputs").rglob(RECORDS)):
        records = list(read(path))
        assert len({record.problem_id for record in records}) == len(records), path
        found[f"{path.parent.parent.name}/{path.parent.name}"] = {record.problem_id: record for record in records}
    return found


def results(folder: Path) -> dict[str, dict[str, tuple[object, ...]]]:
    """What the records say, without the times."""
    return {
        name: {key: (record.answer, record.correct, record.candidates, record.tree) for key, record in run.items()}
        for name, run in runs(folder).items()
    }


def job(folder: Path, part: str) -> str:
    """The id of the job that works on the run whose folder's name holds `part`."""
    return next((folder / "outputs").glob(f"*/*/*{part}*/{NOTE}")).read_text().strip()


def until(condition: Callable[[], bool], seconds: float) -> None:
    end = monotonic() + seconds
    while not condition():
        assert monotonic() < end, f"not so after {seconds} s"
        sleep(0.5)
