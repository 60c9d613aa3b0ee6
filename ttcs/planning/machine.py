"""How long a machine takes for a search's work, and what it costs by the hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ttcs.errors import UserError
from ttcs.planning.work import Work

BYTES = 2  # of a bf16 weight
ALONE = 0.9  # of the memory, for a model with a GPU of its own (vLLM's default)


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds of a model's passes. weights: of any pass; context: per token that a decoded one attends to; read: per
    token read."""

    weights: float
    context: float
    read: float


class Machine(Protocol):
    """name: for the table. price: of an hour, in the currency the user thinks in."""

    name: str
    price: float

    def seconds(self, work: Work) -> float: ...

    def costs(self, parameters: float) -> Costs: ...

    def cache_tokens(self, parameters: float, kv_bytes: float) -> int:
        """Tokens whose keys and values, `kv_bytes` each, fit beside the weights of a model."""
        ...


@dataclass(frozen=True, slots=True)
class GPU:
    """A roofline (Williams et al., 2009): prompts and PRM are bound by arithmetic, decoding mostly by memory.

    flops, bandwidth, memory: peak bf16 FLOP/s (dense), bytes/s and bytes, from the data sheet.
    prefill_share, decode_share: of the peaks that are reached. batch: sequences decoded together, if their keys and
    values fit beside the weights of the policy in `memory_share` of the memory. kv_bytes: of keys and values per token.
    A step of decoding reads the weights once for the whole batch, and the keys and values of every sequence.
    """

    name: str
    flops: float
    bandwidth: float
    memory: float
    price: float
    prefill_share: float
    decode_share: float
    batch: int
    kv_bytes: float
    memory_share: float

    def __post_init__(self) -> None:
        for name in ("flops", "bandwidth", "memory", "prefill_share", "decode_share", "batch", "memory_share"):
            if getattr(self, name) <= 0:
                raise UserError(f"gpu.{name}={getattr(self, name)} is not positive")

    def seconds(self, work: Work) -> float:
        passes = work.decoded + work.read
        reading = work.policy_flops * work.read / passes if passes else 0.0
        arithmetic = (reading + work.prm_flops) / (self.flops * self.prefill_share)
        return arithmetic + work.decoded * self.decode_seconds(work)

    def decode_seconds(self, work: Work) -> float:
        """Seconds per decoded token: the slower of memory and arithmetic."""
        weights, cache = BYTES * work.parameters, self.kv_bytes * work.context
        together = self.together(weights, cache)
        memory = (weights / together + cache) / self.bandwidth
        arithmetic = work.policy_flops / max(work.decoded + work.read, 1) / self.flops
        return max(memory, arithmetic) / self.decode_share

    def costs(self, parameters: float) -> Costs:
        weights, context = BYTES * parameters / self.bandwidth, self.kv_bytes / self.bandwidth
        return Costs(
            weights / self.decode_share, context / self.decode_share, 2 * parameters / self.flops / self.prefill_share
        )

    def cache_tokens(self, parameters: float, kv_bytes: float) -> int:
        """In `memory_share` of the memory; of a model too large for that, on a GPU of its own."""
        weights = BYTES * parameters
        share = self.memory_share if self.memory_share * self.memory > weights else ALONE
        free = self.memory * share - weights
        if free < kv_bytes:
            raise UserError(f"{weights / 1e9:.1f} GB of weights do not fit on {self.name} ({self.memory / 1e9:.0f} GB)")
        return int(free / kv_bytes)

    def together(self, weights: float, cache: float) -> float:
        """Sequences of `cache` bytes each that are decoded together."""
        free = self.memory * self.memory_share - weights
        if free < cache:
            raise UserError(
                f"the policy's {weights / 1e9:.1f} GB of weights and one sequence do not fit in "
                f"{self.memory_share:.0%} of the {self.memory / 1e9:.0f} GB of {self.name}"
            )
        return min(self.batch, free / cache) if cache else self.batch


@dataclass(frozen=True, slots=True)
class Measured:
    """The machine that the pilot ran on: seconds grow as the tokens do."""

    name: str
    price: float

    def seconds(self, work: Work) -> float:
        if work.seconds is None:
            raise self._unmeasured()
        return work.seconds

    def costs(self, parameters: float) -> Costs:
        raise self._unmeasured()

    def cache_tokens(self, parameters: float, kv_bytes: float) -> int:
        raise self._unmeasured()

    def _unmeasured(self) -> UserError:
        return UserError(f"gpu={self.name} takes its seconds from a pilot: add plan.pilot=FOLDER, or name a GPU")
