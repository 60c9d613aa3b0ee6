"""Sweeps on a real Slurm: what comes of them, and what is left of one whose jobs are stopped, killed or fail."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from tests.slurm.commands import SCRIPTED, SLOW, SLURM, Command, job, results, runs, sweep, until
from ttcs.config.options import CONF
from ttcs.records.folder import RECORDS
from ttcs.records.record_file import RecordFile
from ttcs.running.naming import run_name

SHARDS = ["strategy=greedy,best_of_n", "dataset.limit=6", "dataset.shards=2", "dataset.shard=range(0,2)"]
KILLED = ["seed=0,1,2", "dataset.limit=30"]


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """Takes longer than the minute that its job has: begun before all others, because nothing shortens it."""
    at_work = Command.start(
        tmp_path_factory.mktemp("limited"),
        *("dataset.limit=100", *SLOW, *SLURM, "launcher.time=1", "launcher.signal_delay_s=5"),
    )
    yield at_work
    at_work.process.kill()


@pytest.mark.usefixtures("limited")
def test_shards_as_an_array_give_what_one_process_gives(tmp_path: Path) -> None:
    ended = sweep(tmp_path / "slurm", *SHARDS, *SLURM, "launcher.points_per_job=2")
    assert ended.code == 0, ended.said
    assert "4 points in 2 tasks" in ended.said
    assert "sweep" in ended.said.splitlines(), "no final table"
    assert sweep(tmp_path / "local", *SHARDS).code == 0
    assert [len(run) for run in runs(tmp_path / "slurm").values()] == [3] * 4
    assert results(tmp_path / "slurm") == results(tmp_path / "local")


@pytest.mark.usefixtures("limited")
def test_a_point_that_fails_leaves_the_others_alone(tmp_path: Path) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("config", [*SCRIPTED[:2], "dataset.limit=3", "n=4"], return_hydra_config=True)
    locked = tmp_path / "outputs" / run_name(_root_=config)
    locked.mkdir(parents=True)
    with RecordFile(locked / RECORDS):
        ended = sweep(tmp_path, "dataset.limit=3", "n=2,4", *SLURM)
    assert ended.code == 2
    assert f"error: n=4: another process is writing {locked.relative_to(tmp_path)}/{RECORDS} (log: " in ended.said
    assert "error: 1 of 2 points failed; the same command runs what is missing" in ended.said
    assert "Traceback" not in ended.said
    assert sorted(map(len, runs(tmp_path).values())) == [0, 3]


@pytest.mark.usefixtures("limited")
def test_stopped_requeued_and_killed_jobs_go_on_from_their_records(tmp_path: Path) -> None:
    slow = [*KILLED, *SLOW, *SLURM]
    first = Command.start(tmp_path / "slurm", *slow)
    until(lambda: [len(run) > 0 for run in runs(first.folder).values()] == [True] * 3, 150)
    first.process.kill()  # as with a lost connection: the jobs go on, and the same command waits for them
    second = Command.start(tmp_path / "slurm", *slow)
    until(lambda: "already in the queue: 3 points" in second.said(), 60)
    ids = [job(first.folder, f"seed={seed}") for seed in range(3)]
    stops = ["scancel", "--signal=USR2"], ["scontrol", "requeue"], ["scancel", "--signal=KILL"]
    for stop, number in zip(stops, ids, strict=True):
        subprocess.run([*stop, number], check=True, timeout=30)
    left = [len(run) for run in runs(first.folder).values()]
    assert all(0 < length < 30 for length in left), f"{left} of 30 were done before: nothing was interrupted"
    ended = second.ended()
    assert ended.code == 2, ended.said
    assert "submitted" not in ended.said
    assert "error: seed=2: " in ended.said
    assert "error: 1 of 3 points failed" in ended.said
    again = sweep(tmp_path / "slurm", *slow)
    assert again.code == 0
    assert "1 point in 1 task" in again.said
    assert sweep(tmp_path / "local", *KILLED).code == 0
    assert [len(run) for run in runs(tmp_path / "slurm").values()] == [30] * 3
    assert list(results(tmp_path / "slurm").values()) == list(results(tmp_path / "local").values())


def test_a_job_that_runs_into_its_time_limit_is_requeued(limited: Command) -> None:
    ended = limited.ended()
    assert ended.code == 0, ended.said
    log = next((limited.folder / "outputs/.submitit").glob("*.out")).read_text()
    assert "this job is timed-out" in log
    assert [len(run) for run in runs(limited.folder).values()] == [100]
