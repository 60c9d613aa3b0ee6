"""Loggers: what they are told of runs and sweeps, what is read back from each tool, and that none loses a run."""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from PIL import Image

from tests.typed import Main, typed
from ttcs import __main__ as command
from ttcs.running.loggers.finished import Finished
from ttcs.running.loggers.logger import within

SCRIPTED = ["policy=scripted", "prm=scripted", "n=4", "dataset.limit=4"]
SWEEP = "strategy=best_of_n,dvts", "-m"
TOLD: list[Finished] = []
CURVES = {"majority": {1: 0.25, 2: 0.5, 4: 0.75}, "weighted": {4: 1.0}}


@dataclass(frozen=True)
class Kept:
    """Keeps what it is told. fails: with this message."""

    fails: str | None = None

    def log(self, run: Finished) -> str:
        if self.fails is not None:
            raise ConnectionError(self.fails)
        TOLD.append(run)
        return "here"


KEPT = f"logger._target_={__name__}.Kept"


@pytest.fixture
def main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Main:
    """`python -m ttcs` with a scripted pair and these arguments, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    TOLD.clear()
    return typed("ttcs", command.main, monkeypatch, capsys, *SCRIPTED)


def summaries() -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in sorted(Path("outputs").rglob("summary.json"))]


def numbers(found: dict[str, Any]) -> dict[str, float]:
    """Of a summary.json, as a logger is told of them."""
    return {"accuracy": found["accuracy"], "ci95/low": found["ci95"][0], "pass_at_k/4": found["pass_at_k"]["4"],
            "ledger/decoded_tokens": found["ledger"]["decoded_tokens"]}  # fmt: skip


@pytest.mark.parametrize("name", ["tensorboard", "mlflow", "wandb"])
def test_a_missing_extra_is_told_before_anything_is_done(
    name: str, main: Main, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    for words in ([], ["n=2,4", "-m"]):
        line = f"error: logger={name}, but there is no {name}: pip install 'ttcs[{name}]'\n"
        assert main(f"logger={name}", *words) == (2, "", line)
    assert not list(tmp_path.iterdir())


def test_a_way_that_wandb_has_not_is_refused(main: Main) -> None:
    pytest.importorskip("wandb", reason="pip install 'ttcs[wandb]'")
    assert main("logger=wandb", "logger.mode=fast")[::2] == (
        2,
        "error: logger.mode=fast is not online, offline or null\n",
    )


def test_a_run_is_told_of_with_its_configuration_numbers_curve_and_pictures(main: Main) -> None:
    code, said, _ = main(KEPT)
    assert (code, "  logged: here\n" in said) == (0, True)
    (run,), (summary,) = TOLD, summaries()
    assert Path("outputs", run.name, "summary.json").is_file() and run.sweep is None
    chosen = {
        "strategy": "best_of_n",
        "policy": "scripted",
        "n": 4,
        "dataset.limit": 4,
        "selection._target_": "ttcs.choice.selection.Weighted",
    }
    assert {key: run.parameters[key] for key in chosen} == chosen
    assert not any(key.partition(".")[0] in ("hydra", "logger", "picture") for key in run.parameters)
    assert {key: run.metrics[key] for key in numbers(summary)} == numbers(summary)
    assert set(run.curves) >= {"majority", "weighted"} and set(run.curves["majority"]) == {1, 2, 4}
    assert run.curves["weighted"][4] == summary["accuracy"]
    assert [file.name for file in run.figures] == ["accuracy.png"]


def test_without_a_picture_there_is_no_curve(main: Main) -> None:
    assert main(KEPT, "picture=none")[0] == 0
    assert (TOLD[0].curves, TOLD[0].figures) == ({}, [])


def test_the_points_of_a_sweep_belong_together_however_often_it_is_run(main: Main) -> None:
    for words in (["n=2,4", "-m"], ["n=2,4", "-m"], ["n=2,4", "seed=1", "-m"]):
        assert main(KEPT, *words)[0] == 0
    first, second, other = ({run.sweep for run in TOLD[i : i + 2]} for i in (0, 2, 4))
    assert len(TOLD) == 6 and len(first) == 1 and first == second != other
    assert str(*first).startswith("n-2-4-")
    assert [run.name for run in TOLD[:2]] == [run.name for run in TOLD[2:4]]


def test_where_processes_work_on_the_points_the_command_tells(main: Main) -> None:
    code, said, _ = main(KEPT, *SWEEP, "launcher=joblib", "launcher.n_jobs=1")
    assert (code, said.count("logged: here")) == (0, 2)
    assert len({run.name for run in TOLD}) == 2 and len({run.sweep for run in TOLD}) == 1


def test_a_tool_that_fails_loses_no_run(main: Main) -> None:
    code, said, errors = main(KEPT, "+logger.fails='no server\nthere'")
    assert (code, errors, len(summaries())) == (0, "", 1)
    assert "  not logged: no server there\n" in said
    assert main(KEPT)[0] == 0 and len(TOLD) == 1, "the same command tells of it again"


def test_a_tool_that_does_not_answer_is_left_behind() -> None:
    began = monotonic()
    with pytest.raises(TimeoutError, match=r"no answer within 0.1 s \(logger.timeout\)"):
        within(0.1, lambda: str(sleep(60)))
    assert monotonic() - began < 30
    with pytest.raises(TimeoutError, match="its own"):
        within(60, lambda: str((_ for _ in ()).throw(TimeoutError("its own"))))


@pytest.fixture
def runs(tmp_path: Path) -> list[Finished]:
    """Two points of a sweep, each twice, as when the command is given again."""
    picture = tmp_path / "accuracy.png"
    Image.new("RGBA", (3, 2)).save(picture)
    parameters = {"strategy": "best_of_n", "n": 4, "policy.model": "ttcs/zoo", "budget.tokens": None, "flag": True}
    metrics = {"accuracy": 0.75, "ci95/low": 0.5, "ledger/decoded_tokens": 1234.0}
    points = [
        Finished(f"zoo_zoo/n=4_seed={seed}-ab", "seed-0-1-cd", {**parameters, "seed": seed}, metrics, CURVES, [picture])
        for seed in (0, 1)
    ]
    return [*points, *points]


def test_tensorboard_reads_it_back(runs: list[Finished], tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="pip install 'ttcs[tensorboard]'")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from ttcs.running.loggers.tensorboard import TensorBoard

    places = [TensorBoard(str(tmp_path / "logs")).log(run) for run in runs]
    files = list((tmp_path / "logs").rglob("*tfevents*"))
    assert {str(file.parent) for file in files} == {*places} and len(files) == 2, (
        "a run that is told again is there once"
    )
    for run, place in zip(runs, places, strict=True):
        assert Path(place) == tmp_path / "logs" / "seed-0-1-cd" / run.name
    found = EventAccumulator(places[0]).Reload()
    assert {key: found.Scalars(key)[0].value for key in runs[0].metrics} == pytest.approx(runs[0].metrics)
    curve = {event.step: event.value for event in found.Scalars("accuracy_vs_n/majority")}
    assert curve == pytest.approx(CURVES["majority"])
    (image,) = found.Images("figures/accuracy")
    assert (image.width, image.height, image.encoded_image_string) == (3, 2, runs[0].figures[0].read_bytes())
    told = found.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    assert b"policy.model" in told and b"ttcs/zoo" in told


def test_mlflow_reads_it_back(runs: list[Finished], tmp_path: Path) -> None:
    for package in ("mlflow", "sqlalchemy"):
        pytest.importorskip(package, reason="pip install 'ttcs[mlflow]'")
    from mlflow import MlflowClient

    from ttcs.running.loggers.mlflow import MLflow

    store = f"sqlite:///{tmp_path}/mlflow.db"
    MlflowClient(store).create_experiment("mine", artifact_location=(tmp_path / "files").as_uri())
    for run in runs:
        assert MLflow(store, "mine", timeout=600).log(run).endswith(" of experiment mine")
    client = MlflowClient(store)
    kept = client.search_runs([client.get_experiment_by_name("mine").experiment_id])
    (sweep,) = [run for run in kept if "mlflow.parentRunId" not in run.data.tags]
    points = [run for run in kept if run is not sweep]
    assert sweep.info.run_name == "seed-0-1-cd"
    assert sorted(run.info.run_name for run in points) == sorted({run.name for run in runs})
    assert {run.data.tags["mlflow.parentRunId"] for run in points} == {sweep.info.run_id}
    assert {run.info.status for run in kept} == {"FINISHED"}
    for run in points:
        assert {key: run.data.metrics[key] for key in runs[0].metrics} == pytest.approx(runs[0].metrics)
        assert (run.data.params["strategy"], run.data.params["budget.tokens"]) == ("best_of_n", "None")
        history = client.get_metric_history(run.info.run_id, "accuracy_vs_n/majority")
        assert len(history) == 3, "nothing is there twice"
        assert {one.step: one.value for one in history} == pytest.approx(CURVES["majority"])
        assert [file.path for file in client.list_artifacts(run.info.run_id)] == ["accuracy.png"]


def test_wandb_keeps_it_offline(runs: list[Finished], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("wandb", reason="pip install 'ttcs[wandb]'")
    from ttcs.running.loggers.wandb import WandB

    for name in ("CONFIG", "CACHE", "DATA"):
        monkeypatch.setenv(f"WANDB_{name}_DIR", str(tmp_path / name))
    logger = WandB("mine", None, "offline", str(tmp_path / "kept"), timeout=600)
    places = [logger.log(run) for run in runs[:2]]
    kept = [list(records(next(Path(place).parent.glob("*.wandb")))) for place in places]
    for run, written in zip(runs, kept, strict=False):
        (head,) = {record.run.run_id: record.run for record in written if record.HasField("run")}.values()
        assert (head.display_name, head.run_group, head.project) == (run.name, run.sweep, "mine")
        config = dict(items(head.config.update))
        assert {key: config[key] for key in run.parameters} == run.parameters
        told = {key: value for record in written for key, value in items(record.summary.update)}
        assert {key: told[key] for key in run.metrics} == pytest.approx(run.metrics)
        rows = [dict(items(record.history.item)) for record in written if record.HasField("history")]
        curve = {row["n"]: row["accuracy_vs_n/majority"] for row in rows if "n" in row}
        assert curve == pytest.approx(CURVES["majority"])
        assert [row["figures/accuracy._type"] for row in rows if "n" not in row] == ["image-file"]
    assert len({record.run.run_id for written in kept for record in written if record.HasField("run")}) == 2


def items(found: Any) -> Iterator[tuple[str, Any]]:
    for item in found:
        yield item.key or ".".join(item.nested_key), json.loads(item.value_json)


def records(file: Path) -> Iterator[Any]:
    """Of a run that wandb keeps: a log as LevelDB has them, blocks of 32 kB with pieces of records."""
    from wandb.proto.wandb_internal_pb2 import Record

    content, place, whole = file.read_bytes(), 7, b""
    while place + 7 <= len(content):
        if 32768 - place % 32768 < 7:  # too little for the head of a piece
            place += 32768 - place % 32768
            continue
        _, length, kind = struct.unpack("<IHB", content[place : place + 7])
        whole, place = whole + content[place + 7 : place + 7 + length], place + 7 + length
        if kind in (1, 4):  # all of a record, or the end of one
            yield Record.FromString(whole)
            whole = b""
