"""What an engine is started with."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypedDict

import torch

from ttcs.errors import UserError
from ttcs.vllm.cards import BESIDE, cards

CPU_BLOCK = 32  # tokens; vLLM's own 128 keeps little of a solution
CPU_CACHE_GB = 1.0
FITTING = -1  # what vLLM calls the model's own, or as long as the memory holds
BIND = "VLLM_CPU_OMP_THREADS_BIND"
QUANTIZING = "quantization", "quantization_config"
METHOD = "VLLM_WORKER_MULTIPROC_METHOD"
PLUGINS = "VLLM_PLUGINS"
OURS = "ttcs"  # the plugin that ends an engine with us, see pyproject.toml
# Where a person has not set them: a large model over a network takes its time, and nobody is told of what we do.
DEFAULTS = {"VLLM_ENGINE_READY_TIMEOUT_S": "3600", "VLLM_NO_USAGE_STATS": "1"}


class Options(TypedDict, total=False):
    """The fields of `Settings` as keywords of what takes them on."""

    device: str
    dtype: str
    tensor_parallel_size: int
    gpu_memory_utilization: float | None
    cache_gb: float | None
    max_model_len: int | None
    block_size: int | None
    quantization: str | None
    trust_remote_code: bool
    enforce_eager: bool | None
    threads: int | None
    extra: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Settings:
    """The options that policy and PRM share; those that have vLLM's names mean what they mean there.

    batch_size: sequences worked on at once (max_num_seqs; None: vLLM's own). device: `auto` or `cuda:N`, the first GPU
    to use. dtype: `auto` is float32 on CPU, else vLLM's own choice. gpu_memory_utilization: share of each GPU's memory,
    weights included; two engines on one GPU share it (None: somewhat less than half). cache_gb: memory for keys and
    values, instead of what that share leaves (None: 1 GB on CPU). max_model_len: longest sequence (None: the model's,
    or as long as the memory holds). block_size: tokens cached as one (None: 32 on CPU, else vLLM's). enforce_eager: do
    not compile (None: on CPU). threads: on CPU (None: half of what there is, because there are two engines).
    extra: further arguments, as vLLM calls them.
    """

    batch_size: int | None
    device: str = "auto"
    dtype: str = "auto"
    tensor_parallel_size: int = 1
    gpu_memory_utilization: float | None = None
    cache_gb: float | None = None
    max_model_len: int | None = None
    block_size: int | None = None
    quantization: str | None = None
    trust_remote_code: bool = False
    enforce_eager: bool | None = None
    threads: int | None = None
    extra: Mapping[str, Any] | None = None

    def arguments(self, name: str, cpu: bool) -> dict[str, Any]:
        """For vLLM's EngineArgs. name: of the component; cpu: vLLM is built for CPUs."""
        cache = CPU_CACHE_GB if self.cache_gb is None and cpu else self.cache_gb
        given = {
            "dtype": "float32" if self.dtype == "auto" and cpu else self.dtype,
            "tensor_parallel_size": self.tensor_parallel_size,
            "gpu_memory_utilization": BESIDE if self.gpu_memory_utilization is None else self.gpu_memory_utilization,
            "kv_cache_memory_bytes": None if cache is None else int(cache * 2**30),
            "max_num_seqs": self.batch_size,
            "max_model_len": FITTING if self.max_model_len is None else self.max_model_len,
            "block_size": CPU_BLOCK if self.block_size is None and cpu else self.block_size,
            "quantization": self.quantization,
            "trust_remote_code": self.trust_remote_code,
            "enforce_eager": cpu if self.enforce_eager is None else self.enforce_eager,
            "device_ids": self._devices(name, cpu),
            "enable_prefix_caching": True,
        }
        # None leaves it to vLLM, which for some of them takes no None.
        return {key: value for key, value in given.items() if value is not None} | dict(self.extra or {})

    @property
    def quantized(self) -> str | None:
        """How, by whichever of vLLM's arguments for it; None: not."""
        given = {"quantization": self.quantization, **(self.extra or {})}
        found = (given.get(name) for name in QUANTIZING)
        return next((str(value) for value in found if value is not None), None)

    def alone(self) -> bool:
        """Whether one process can do: on CPU vLLM would start another one for the model, to bind its threads."""
        return len(self._cards()) == 1 and BIND not in os.environ

    def environment(self, cpu: bool) -> dict[str, str]:
        """Variables for the engine's process, where a person has not set them."""
        wanted = DEFAULTS | {METHOD: "spawn"}  # a fork would write where we do
        if cpu:
            wanted[BIND] = "nobind"  # bound threads would be bound to the same cores in both engines
        ours = {name: value for name, value in wanted.items() if name not in os.environ}
        if BIND in ours:
            ours["OMP_NUM_THREADS"] = str(self.threads or max(1, torch.get_num_threads() // 2))
        return ours | _plugins()

    def _devices(self, name: str, cpu: bool) -> list[int] | None:
        if self.device in ("auto", "cpu" if cpu else "cuda"):
            return None
        if cpu or not re.fullmatch(r"cuda:\d+", self.device):
            built = "CPUs: it takes auto or cpu" if cpu else "GPUs: it takes auto, cuda or cuda:N"
            raise UserError(f"{name}.device={self.device}, but this vLLM is built for {built}")
        return list(self._cards(self.device))

    def _cards(self, device: str = "auto") -> range:
        return cards(device, {"tensor_parallel_size": self.tensor_parallel_size, "extra": self.extra})


def _plugins() -> dict[str, str]:
    """A list of plugins that leaves ours out would leave engines behind."""
    named = os.environ.get(PLUGINS)
    return {} if named is None or OURS in named.split(",") else {PLUGINS: ",".join(filter(None, [named, OURS]))}


def check(arguments: Mapping[str, Any], name: str, known: type) -> None:
    """UserError for an argument that vLLM does not have."""
    if unknown := arguments.keys() - {field.name for field in fields(known)}:
        raise UserError(f"{name}.extra: vLLM has no engine argument {', '.join(sorted(unknown))}")
