"""Loggers: what they are told of runs and sweeps, what is read back from each tool, and that none loses a run."""

from __future__ import annotations

import csv
import json
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from tests.typed import Main, typed
from ttcs import __main__ as command
from ttcs.running.loggers.finished import Finished
from ttcs.running.loggers.logger import within

SCRIPTED = ["policy=scripted", "prm=scripted", "n=4", "dataset.limit=4"]
SWEEP = "strategy=best_of_n,dvts", "-m"
TOLD: list[Finished] = []
CURVE = "accuracy_vs_n/majority"


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


def test_tensorboard_reads_it_back(main: Main) -> None:
    pytest.importorskip("tensorboard", reason="pip install 'ttcs[tensorboard]'")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for _ in range(2):
        assert main("logger=tensorboard", *SWEEP)[0] == 0
    folders = sorted({file.parent for file in Path("outputs/tensorboard").rglob("*tfevents*")})
    assert len(folders) == len(list(Path("outputs/tensorboard").rglob("*tfevents*"))) == 2
    assert len({folder.relative_to("outputs/tensorboard").parts[0] for folder in folders}) == 1
    for folder in folders:
        found = EventAccumulator(str(folder)).Reload()
        sweep, name = folder.relative_to("outputs/tensorboard").parts[0], Path(*folder.parts[3:])
        assert sweep.startswith("strategy-best_of_n-dvts-")
        summary = json.loads(Path("outputs", name, "summary.json").read_text())
        assert {key: found.Scalars(key)[0].value for key in numbers(summary)} == pytest.approx(numbers(summary))
        curve = [(event.step, event.value) for event in found.Scalars(CURVE)]
        assert curve == pytest.approx(drawn(name))
        assert found.Images("accuracy")[0].encoded_image_string == Path("outputs", name, "accuracy.png").read_bytes()
        content = found.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
        assert b"ttcs.policies.scripted.ScriptedPolicy" in content


def drawn(name: Path) -> list[tuple[int, float]]:
    with Path("outputs", name, "accuracy.csv").open() as rows:
        return [(int(row["n"]), float(row["accuracy"])) for row in csv.DictReader(rows) if row["method"] == "majority"]


def test_mlflow_reads_it_back(main: Main, tmp_path: Path) -> None:
    for package in ("mlflow", "sqlalchemy"):
        pytest.importorskip(package, reason="pip install 'ttcs[mlflow]'")
    from mlflow import MlflowClient

    store = f"sqlite:///{tmp_path}/mlflow.db"
    for _ in range(2):
        code, said, _ = main("logger=mlflow", f"logger.uri={store}", *SWEEP)
        assert (code, said.count("  logged: run ")) == (0, 2), said
    client = MlflowClient(store)
    runs = client.search_runs([client.get_experiment_by_name("ttcs").experiment_id])
    (sweep,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    points = [run for run in runs if run is not sweep]
    assert len(points) == 2 and {run.data.tags["mlflow.parentRunId"] for run in points} == {sweep.info.run_id}
    assert {run.info.status for run in runs} == {"FINISHED"}
    for run in points:
        name = Path(run.info.run_name)
        summary = json.loads(Path("outputs", name, "summary.json").read_text())
        assert {key: run.data.metrics[key] for key in numbers(summary)} == pytest.approx(numbers(summary))
        assert run.data.params["strategy"] == summary["strategy"] and run.data.params["dataset.limit"] == "4"
        history = client.get_metric_history(run.info.run_id, CURVE)
        assert sorted((one.step, one.value) for one in history) == pytest.approx(drawn(name)), "nothing twice"
        assert [file.path for file in client.list_artifacts(run.info.run_id)] == ["accuracy.png"]


def test_wandb_keeps_it_offline(main: Main, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("wandb", reason="pip install 'ttcs[wandb]'")
    for name in ("CONFIG", "CACHE", "DATA"):
        monkeypatch.setenv(f"WANDB_{name}_DIR", str(tmp_path / name))
    code, said, _ = main("logger=wandb", "logger.mode=offline", "logger.folder=kept", *SWEEP)
    assert (code, said.count("  logged: ")) == (0, 2), said
    runs = [list(records(file)) for file in Path("kept").rglob("*.wandb")]
    heads = [record.run for run in runs for record in run if record.HasField("run")]
    assert len(runs) == 2 and len({head.run_id for head in heads}) == 2
    assert len({head.run_group for head in heads}) == 1 and heads[0].run_group.startswith("strategy-best_of_n-dvts-")
    for head, run in zip(heads, runs, strict=True):
        summary = json.loads(Path("outputs", head.display_name, "summary.json").read_text())
        config = {item.key: json.loads(item.value_json) for item in head.config.update}
        assert (config["strategy"], config["dataset.limit"]) == (summary["strategy"], 4)
        told = {key: value for record in run for key, value in items(record.summary.update)}
        assert {key: told[key] for key in numbers(summary)} == pytest.approx(numbers(summary))
        rows = [dict(items(record.history.item)) for record in run if record.HasField("history")]
        assert [(row["n"], row[CURVE]) for row in rows if CURVE in row] == pytest.approx(drawn(Path(head.display_name)))
        assert [row["accuracy"]["_type"] for row in rows if "accuracy" in row] == ["image-file"]


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
