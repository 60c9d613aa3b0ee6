"""What an engine is started with, and where it prints: no engine is needed for that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ttcs.errors import UserError
from ttcs.running.workers.placement import gpus
from ttcs.vllm.engine import VERSIONS, _familiar
from ttcs.vllm.lora import lora_arguments
from ttcs.vllm.quiet import started_quietly
from ttcs.vllm.settings import DEFAULTS, Options, Settings

ROOT = Path(__file__).parents[2]
CHILD = "import os, sys; print('from', os.environ['MARK']); print('and', file=sys.stderr)"


def test_processes_print_to_the_log_and_we_where_we_did(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    with started_quietly(log, {"MARK": "inside"}):
        subprocess.run([sys.executable, "-c", CHILD], check=True)
        print("we")
        os.environ["LEFT_BEHIND"] = "1"
    print("later")
    assert capfd.readouterr().out == "we\nlater\n"
    assert sorted(log.read_text().split("\n")) == ["", "and", "from inside"]
    assert "MARK" not in os.environ and "LEFT_BEHIND" not in os.environ


def test_output_comes_back_after_a_failure(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), started_quietly(tmp_path / "log", {}):
        raise KeyError
    os.write(1, b"directly\n")
    print("we")
    assert capfd.readouterr().out == "directly\nwe\n"


def test_a_process_ends_with_its_parent(tmp_path: Path) -> None:
    engine = (
        "import os, time; from ttcs.vllm.orphan import watch; watch(); print(os.getpid(), flush=True); time.sleep(60)"
    )
    parent = (
        "import pathlib, subprocess, sys, time; from ttcs.vllm.quiet import started_quietly\n"
        f"with started_quietly(pathlib.Path({str(tmp_path / 'log')!r}), {{}}): "
        f"subprocess.Popen([sys.executable, '-c', {engine!r}])\n"
        "time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", parent])
    child = wait_for(lambda: (tmp_path / "log").exists() and (tmp_path / "log").read_text().strip())
    process.kill()
    process.wait()
    assert wait_for(lambda: not Path(f"/proc/{child}").exists())


def wait_for(condition: Callable[[], Any]) -> Any:
    until = time.monotonic() + 60
    while not (found := condition()) and time.monotonic() < until:
        time.sleep(0.1)
    return found


def test_on_cpu() -> None:
    arguments = Settings(batch_size=4).arguments("policy", cpu=True)
    assert (arguments["dtype"], arguments["block_size"], arguments["enforce_eager"]) == ("float32", 32, True)
    assert arguments["kv_cache_memory_bytes"] == 2**30
    assert "device_ids" not in arguments and arguments["max_model_len"] == -1


def test_on_a_gpu_vllm_chooses() -> None:
    arguments = Settings(batch_size=4, device="cuda:2", tensor_parallel_size=2, extra={"seed": 3}).arguments(
        "prm", False
    )
    assert (arguments["dtype"], arguments["enforce_eager"]) == ("auto", False)
    assert (arguments["device_ids"], arguments["gpu_memory_utilization"], arguments["seed"]) == ([2, 3], 0.45, 3)
    assert "block_size" not in arguments and "kv_cache_memory_bytes" not in arguments


@pytest.mark.parametrize(
    ("extra", "ids"),
    [
        ({"pipeline_parallel_size": 2}, [2, 3]),
        ({"pipeline_parallel_size": 2, "tensor_parallel_size": 2}, [2, 3, 4, 5]),
        (None, [2]),
    ],
)
def test_the_gpus_of_every_kind_of_parallelism_are_counted(extra: dict[str, int] | None, ids: list[int]) -> None:
    settings = Settings(4, device="cuda:2", extra=extra)
    assert settings.arguments("policy", cpu=False)["device_ids"] == ids
    assert sorted(gpus({"device": "cuda:2", "tensor_parallel_size": 1, "extra": extra})) == ids


@pytest.mark.parametrize("size", [0, "two", 1.5])
def test_a_number_of_gpus_that_is_none(size: object) -> None:
    with pytest.raises(UserError, match=f"^pipeline_parallel_size={size} is not a whole number of at least 1$"):
        gpus({"device": "auto", "extra": {"pipeline_parallel_size": size}})


def test_one_process_does_for_one_rank(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VLLM_CPU_OMP_THREADS_BIND", raising=False)
    assert Settings(4).alone() and Settings(4, device="cpu").alone()
    assert not Settings(4, tensor_parallel_size=2).alone()
    assert not Settings(4, extra={"pipeline_parallel_size": 2}).alone()


@pytest.mark.parametrize(("device", "cpu"), [("cuda:0", True), ("cuda", True), ("cpu", False), ("gpu", False)])
def test_a_device_that_there_is_not(device: str, cpu: bool) -> None:
    with pytest.raises(UserError, match=f"prm.device={device}, but"):
        Settings(batch_size=1, device=device).arguments("prm", cpu)


def test_the_environment_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VLLM_CPU_OMP_THREADS_BIND", "VLLM_WORKER_MULTIPROC_METHOD", "VLLM_PLUGINS", *DEFAULTS):
        monkeypatch.delenv(name, raising=False)
    gpu = {"VLLM_WORKER_MULTIPROC_METHOD": "spawn", **DEFAULTS}
    assert Settings(batch_size=1).environment(cpu=False) == gpu
    ours = Settings(batch_size=1, threads=3).environment(cpu=True)
    assert ours == gpu | {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": "3"}
    for name in ours:
        monkeypatch.setenv(name, "theirs")
    assert Settings(batch_size=1).environment(cpu=True) == {}


def test_no_usage_is_told_and_large_models_are_waited_for() -> None:
    assert DEFAULTS["VLLM_NO_USAGE_STATS"] == "1" and int(DEFAULTS["VLLM_ENGINE_READY_TIMEOUT_S"]) == 3600


@pytest.mark.parametrize(("named", "ours"), [("", "ttcs"), ("a,b", "a,b,ttcs"), ("a,ttcs", None)])
def test_engines_end_with_us_whatever_plugins_are_named(
    named: str, ours: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_PLUGINS", named)
    assert Settings(batch_size=1).environment(cpu=False).get("VLLM_PLUGINS") == ours


def test_the_two_yamls_name_every_setting() -> None:
    from tests.vllm.conftest import configured

    names = {field.name for field in fields(Settings)}
    for group in ("policy", "prm"):
        assert names <= set(configured(f"{group}/engine=vllm")[group])


def test_settings_are_the_options_and_how_many_at_once() -> None:
    assert {field.name for field in fields(Settings)} == {"batch_size", *Options.__annotations__}


def test_the_rank_of_an_adapter(tmp_path: Path) -> None:
    assert lora_arguments(None) == {}
    (tmp_path / "adapter_config.json").write_text(json.dumps({"r": 12}))
    assert lora_arguments(str(tmp_path)) == {"enable_lora": True, "max_loras": 1, "max_lora_rank": 16}
    (tmp_path / "adapter_config.json").write_text(json.dumps({"r": 1024}))
    with pytest.raises(UserError, match="rank 1024; vLLM takes 512"):
        lora_arguments(str(tmp_path))


def test_a_version_that_is_another_one_inside_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", SimpleNamespace(__version__="0.99.0"))
    said = r"^prm: vLLM 0\.99\.0 is another one .*outputs_queue.*: pip install 'vllm>=0\.32,<0\.33'$"
    with pytest.raises(UserError, match=said), _familiar("prm"):
        getattr(SimpleNamespace(), "outputs_queue")  # noqa: B009 - as the code that drives vLLM does


def test_the_known_versions_are_those_that_are_installed() -> None:
    assert f'"vllm{VERSIONS}"' in (ROOT / "pyproject.toml").read_text()
