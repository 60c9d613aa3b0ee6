"""Launchers without a cluster: what reaches sbatch, and sweeps whose points other processes of this machine run."""

from __future__ import annotations

import signal
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from textwrap import dedent

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from submitit.core.utils import UncompletedJobError
from submitit.local.local import LocalExecutor

from tests.slurm.commands import ROOT, results, runs
from tests.typed import Main, typed
from ttcs import __main__ as command
from ttcs.config.components import build
from ttcs.config.options import CONF
from ttcs.records.folder import CONFIG, RECORDS
from ttcs.records.record_file import RecordFile
from ttcs.running.launchers.batch import Batch
from ttcs.running.launchers.joblib import LOG
from ttcs.running.launchers.point import Point
from ttcs.running.launchers.slurm import Slurm
from ttcs.running.naming import run_name

SCRIPTED = ["policy=scripted", "prm=scripted", "n=2", "dataset.limit=4"]


def composed(*overrides: str) -> DictConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", list(overrides), return_hydra_config=True)


@pytest.fixture
def main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Main:
    """Exit code, stdout and stderr of `python -m ttcs` with a scripted pair and these arguments, in this process."""
    monkeypatch.chdir(tmp_path)
    return typed("ttcs", command.main, monkeypatch, capsys, *SCRIPTED)


@pytest.fixture
def sigterm() -> Iterator[None]:
    """A job ignores SIGTERM, the process of the tests does not."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, the whole of PATH, with Slurm's programs, which do nothing."""
    for name in ("sbatch", "srun", "squeue"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "bin"


REACHES = {
    "job_name": ("launcher.job_name=mine", "#SBATCH --job-name=mine"),
    "partition": ("launcher.partition=gpu", "#SBATCH --partition=gpu"),
    "account": ("launcher.account=lab", "#SBATCH --account=lab"),
    "qos": ("launcher.qos=high", "#SBATCH --qos=high"),
    "constraint": ("launcher.constraint=a100", "#SBATCH --constraint=a100"),
    "gpus_per_node": ("launcher.gpus_per_node=2", "#SBATCH --gpus-per-node=2"),
    "cpus_per_task": ("launcher.cpus_per_task=8", "#SBATCH --cpus-per-task=8"),
    "mem": ("launcher.mem=64G", "#SBATCH --mem=64G"),
    "time": ("launcher.time=90", "#SBATCH --time=90"),
    "setup": ("launcher.setup=[module load cuda]", "module load cuda"),
    "extra": ("+launcher.extra.mail-type=END", "#SBATCH --mail-type=END"),
    "requeue": ("launcher.requeue=false", "#SBATCH --no-requeue"),
    "signal_delay_s": ("launcher.signal_delay_s=300", "#SBATCH --signal=USR2@300"),
    "folder": ("launcher.folder=logs", "--output={cwd}/logs/%A_%a_0_log.out"),
    "array_parallelism": ("launcher.array_parallelism=3", "#SBATCH --array=0-9%3"),
}


@pytest.mark.parametrize("field", REACHES)
@pytest.mark.usefixtures("programs")
def test_a_field_of_the_yaml_reaches_sbatch(field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    override, line = REACHES[field]
    assert line.format(cwd=tmp_path) not in submission("launcher=slurm")
    assert line.format(cwd=tmp_path) in submission("launcher=slurm", override)


def submission(*overrides: str) -> str:
    """The script that sbatch is given for an array of ten jobs."""
    executor = build(composed(*overrides), "launcher").executor()
    executor.parameters["map_count"] = 10
    text: str = executor._make_submission_file_text("command", "0")
    return text


@pytest.mark.usefixtures("programs")
def test_the_other_fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert set(Slurm.__slots__) == {*REACHES, "max_num_timeout", "points_per_job", "wait"}
    assert build(composed("launcher=slurm", "launcher.max_num_timeout=7"), "launcher").executor().max_num_timeout == 7
    text = submission("launcher=slurm", "launcher.cpus_per_task=8")
    assert "#SBATCH --requeue" in text
    assert "srun --unbuffered" in text
    assert "--cpus-per-task=8 command" in text, "the step has the CPUs of the job"


@pytest.mark.parametrize("launcher", ["slurm", "joblib"])
def test_a_launcher_changes_no_folder(launcher: str) -> None:
    assert run_name(_root_=composed(f"launcher={launcher}")) == run_name(_root_=composed())


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["launcher=slurm"], "launcher=slurm, but sbatch is not on this machine"),
        (["launcher=slurm", "launcher.time=0"], "launcher.time=0 is not a whole number of at least 1"),
        (["launcher=slurm", "launcher.time=4h"], "launcher.time=4h is not a whole number"),
        (
            ["launcher=slurm", "launcher.time=2"],
            "launcher.signal_delay_s=120 is not between 0 and the time limit of 120 s",
        ),
        (["launcher=slurm", "launcher.partion=gpu"], "there is no key launcher.partion (nearest: launcher.partition"),
        (["launcher=slurm", "launcher.setup=module"], "launcher.setup=module is not a list"),
        (["launcher=slurm", "n=2,3", "strategy=dvts"], "n=2 is not a multiple of width=4"),
        (["launcher=joblib", "launcher.n_jobs=0", "-m"], "launcher.n_jobs=0 is neither -1 nor a positive whole number"),
    ],
)
def test_a_mistake_is_answered_by_one_line(
    main: Main, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str], line: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    code, _, said = main(*arguments)
    assert code == 2
    assert said.startswith(f"error: {line}")
    assert said.count("\n") == 1
    assert not list(tmp_path.rglob(RECORDS))


def test_a_sweep_with_joblib_is_that_of_one_process(main: Main, tmp_path: Path) -> None:
    sweep = "strategy=greedy,best_of_n", "dataset.shards=2", "dataset.shard=range(0,2)", "+span.greedy=[1,1]", "-m"
    code, said, errors = main(*sweep, "launcher=joblib", "launcher.n_jobs=2", "hydra.sweep.dir=there/outputs")
    assert (code, errors) == (0, "")
    assert "dataset.shard=1: done" in said
    assert "sweep" in said.splitlines()
    assert main(*sweep, "hydra.sweep.dir=here/outputs")[0] == 0
    assert [len(run) for run in runs(tmp_path / "there").values()] == [2, 2], "greedy is left out"
    assert results(tmp_path / "there") == results(tmp_path / "here")
    config = next((tmp_path / "there").rglob(CONFIG)).read_text()
    assert "launcher" not in config
    logs = {log: log.stat().st_size for log in tmp_path.rglob(LOG)}
    assert len(logs) == 2
    assert main(*sweep, "launcher=joblib", "hydra.sweep.dir=there/outputs")[0] == 0
    assert {log: log.stat().st_size for log in tmp_path.rglob(LOG)} == logs, "a finished point was run again"


def test_a_point_that_fails_is_named_and_leaves_the_others_alone(main: Main, tmp_path: Path) -> None:
    locked = tmp_path / "outputs" / run_name(_root_=composed(*SCRIPTED, "seed=1"))
    locked.mkdir(parents=True)
    with RecordFile(locked / RECORDS):
        code, said, errors = main("seed=0,1", "launcher=joblib", "launcher.n_jobs=1", "-m")
    assert code == 2
    assert "seed=0: done" in said
    where = locked.relative_to(tmp_path)
    assert errors.splitlines() == [
        f"error: seed=1: another process is writing {where}/{RECORDS} (log: {where}/{LOG})",
        "error: 1 of 2 points failed; the same command runs what is missing",
    ]


def test_what_a_job_is_sent_runs_in_a_new_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    points = [
        Point.of(f"seed={seed}", composed(*SCRIPTED, f"seed={seed}"), f"outputs/seed={seed}/run", beside=False)
        for seed in range(2)
    ]
    points[0].folder.mkdir(parents=True)
    executor = LocalExecutor(tmp_path / "logs")
    executor.update_parameters(timeout_min=2)
    with RecordFile(points[0].folder / RECORDS):
        job = executor.submit(Batch(tuple(points)))
        job.wait()
    said = (job.stderr() or "").splitlines()
    assert [line for line in said if line.startswith("error: ")] == [
        f"error: seed=0: another process is writing outputs/seed=0/run/{RECORDS}"
    ]
    assert not points[0].finished()
    assert points[1].finished(), "the second point is run although the first one failed"


def test_the_launcher_of_the_documentation_composes(tmp_path: Path) -> None:
    page = (CONF.parent / "docs" / "cluster.md").read_text()
    example = dedent(page.partition("```yaml\n")[2].partition("```")[0].replace("\n   ", "\n").removeprefix("   "))
    (tmp_path / "launcher").mkdir()
    (tmp_path / "launcher" / "gpu.yaml").write_text(example)
    slurm = build(composed(f"hydra.searchpath=[file://{tmp_path}]", "launcher=gpu"), "launcher")
    assert (slurm.partition, slurm.gpus_per_node, slurm.time, slurm.requeue) == ("gpu", 1, 480, True)
    assert slurm.extra == {"mail-type": "END"}


@pytest.mark.usefixtures("sigterm")
def test_a_job_goes_on_after_a_bug_but_not_after_its_last_time_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = Batch(tuple(Point.of(f"n={n}", composed(*SCRIPTED), str(tmp_path / str(n)), False) for n in range(2)))
    for error, told in (ValueError("odd"), [0, 1]), (UncompletedJobError("timed-out too many times"), [0]):
        monkeypatch.setattr(Point, "run", partial(_fail, error))
        with pytest.raises(SystemExit) as end:
            batch()
        assert end.value.code == 2
        said = capsys.readouterr().err
        assert [n for n in range(2) if f"error: n={n}: " in said] == told
        assert ("Traceback" in said) == isinstance(error, ValueError)


def _fail(error: Exception) -> None:
    raise error
