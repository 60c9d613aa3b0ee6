"""Points as jobs of a Slurm cluster, submitted by submitit (docs/cluster.md).

A job leaves nothing behind but the records of its points and a log, so it may be killed and requeued at any moment, and
whoever waits for it may be too.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence, Sized
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from ttcs.config.paths import here
from ttcs.config.writable import made
from ttcs.errors import UserError
from ttcs.records.folder import write
from ttcs.running.launchers.point import Point
from ttcs.running.launchers.queue import queued_jobs, states
from ttcs.running.progress import console

NOTE = "job.txt"  # in the folder of a point: the job that works on it


@dataclass(frozen=True, slots=True)
class Slurm:
    """The fields up to `setup` are those of sbatch under its own names (time: minutes; None: what the cluster gives).

    requeue: a job that is preempted, or whose node fails, goes back into the queue.
    signal_delay_s: how long before the time limit a job ends itself and is requeued. max_num_timeout: how often.
    extra: other options of sbatch, by their long names. setup: lines of shell before the job.
    points_per_job: points that a job runs one after another. array_parallelism: jobs that run at once.
    folder: logs, and what submitit hands to the jobs; on a disk that all nodes see.
    wait: for the jobs to end, and show what came of them.
    """

    job_name: str
    partition: str | None
    account: str | None
    qos: str | None
    constraint: str | None
    gpus_per_node: int | None
    cpus_per_task: int
    mem: str | None
    time: int
    setup: Sequence[str]
    extra: Mapping[str, Any]
    requeue: bool
    signal_delay_s: int
    max_num_timeout: int
    array_parallelism: int
    points_per_job: int
    folder: str
    wait: bool

    def __post_init__(self) -> None:
        for name in ("time", "cpus_per_task", "array_parallelism", "points_per_job"):
            if getattr(self, name) < 1:
                raise UserError(f"launcher.{name}={getattr(self, name)} is not a positive whole number")
        if not 0 < self.signal_delay_s < 60 * self.time:
            limit = f"the time limit of {60 * self.time} s (launcher.time={self.time})"
            raise UserError(f"launcher.signal_delay_s={self.signal_delay_s} is not between 0 and {limit}")

    def launch(self, points: Sequence[Point]) -> Iterator[tuple[Point, str | None]]:
        """Submit the points that no job is at work on already; jobs go on when the waiting is interrupted."""
        executor = self.executor()
        queued = queued_jobs()
        if queued is None:
            raise UserError("Slurm does not answer: squeue --me fails or takes more than 30 s")
        notes = {point.folder: _note(point) for point in points}
        known = [point for point in points if notes[point.folder] in queued]
        if known:
            console.print(f"already in the queue: {_many(known, 'point')}")
        jobs = self._submit(executor, [point for point in points if notes[point.folder] not in queued])
        for point in known:
            jobs.setdefault(notes[point.folder], []).append(point)
        if self.wait:
            yield from _ended(jobs, self._folder)

    def executor(self) -> Any:
        """submitit's, with every setting."""
        try:
            from submitit.slurm.slurm import SlurmExecutor
        except ImportError as error:
            raise UserError("launcher=slurm needs submitit: pip install -e '.[slurm]'") from error
        if missing := [program for program in ("sbatch", "srun", "squeue") if shutil.which(program) is None]:
            raise UserError(f"launcher=slurm, but {missing[0]} is not on this machine: start it where sbatch works")
        executor = SlurmExecutor(self._folder, max_num_timeout=self.max_num_timeout)
        executor.update_parameters(**self.parameters())
        return executor

    def parameters(self) -> dict[str, Any]:
        """For submitit's executor, which takes sbatch's own names."""
        limits = "partition", "account", "qos", "constraint", "gpus_per_node", "cpus_per_task", "mem", "time"
        given = {name: getattr(self, name) for name in ("job_name", *limits)}
        return {name: value for name, value in given.items() if value is not None} | {
            "setup": list(self.setup),
            "signal_delay_s": self.signal_delay_s,
            "array_parallelism": self.array_parallelism,
            "stderr_to_stdout": True,
            # srun does not take this over from sbatch (since Slurm 22.05).
            "srun_args": [f"--cpus-per-task={self.cpus_per_task}"],
            "additional_parameters": {"requeue" if self.requeue else "no-requeue": True} | dict(self.extra),
        }

    @property
    def _folder(self) -> Path:
        return Path(self.folder).absolute()

    def _submit(self, executor: Any, points: Sequence[Point]) -> dict[str, list[Point]]:
        """Id of the job -> its points."""
        if not points:
            return {}
        from submitit.core.utils import FailedJobError

        from ttcs.running.launchers.batch import Batch

        size = self.points_per_job
        batches = [points[start : start + size] for start in range(0, len(points), size)]
        made(self._folder)
        try:
            with redirect_stderr(StringIO()):  # submitit prints what sbatch says, too
                submitted = executor.submit_array([Batch(tuple(batch)) for batch in batches])
        except FailedJobError as error:
            raise UserError(_last_line(str(error)) or "sbatch failed") from error
        jobs = {job.job_id: list(batch) for job, batch in zip(submitted, batches, strict=True)}
        for number, batch in jobs.items():
            for point in batch:
                made(point.folder)
                write(point.folder / NOTE, f"{number}\n")
        number = submitted[0].job_id.partition("_")[0]
        console.print(f"submitted as job {number}: {_many(points, 'point')} in {_many(jobs, 'task')}")
        console.print(f"  {here(self._folder)}/{number}*.out", markup=False)
        return jobs


def _ended(jobs: Mapping[str, Sequence[Point]], logs: Path) -> Iterator[tuple[Point, str | None]]:
    """The points of jobs that have left the queue for good, however often they were requeued."""
    left, started, said = dict(jobs), monotonic(), ""
    while left:
        queued = queued_jobs()
        for number in [] if queued is None else sorted(left.keys() - queued.keys()):
            log = logs / f"{number}_0_log.out"
            yield from ((point, _reason(point, number, log)) for point in left.pop(number))
        if queued and left and (now := states(queued[number] for number in left)) != said:
            said = now
            console.print(now, markup=False)
        if left:
            sleep(min(30.0, 2.0 + (monotonic() - started) / 20))


def _note(point: Point) -> str:
    """The job that was last submitted for the point; empty: none was."""
    note = point.folder / NOTE
    return note.read_text().strip() if note.exists() else ""


def _reason(point: Point, number: str, log: Path) -> str | None:
    """Why the point is not finished although its job has ended; None: it is."""
    if point.finished():
        return None
    said = log.read_text(errors="replace") if log.exists() else ""
    told = [line.removeprefix(point.mark) for line in said.splitlines() if line.startswith(point.mark)]
    reason = told[-1] if told else f"job {number} was killed or cancelled; its last line: {_last_line(said) or 'none'}"
    return f"{reason} (log: {here(log)})"


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def _many(things: Sized, noun: str) -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"
