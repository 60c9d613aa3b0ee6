"""How long a machine takes for a search's work, and what it costs by the hour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ttcs.errors import UserError
from ttcs.planning.work import Work

BYTES = 2  # of a bf16 weight


class Machine(Protocol):
    """name: for the table. price: of an hour, in the currency the user thinks in."""

    name: str
    price: float

    def seconds(self, work: Work) -> float: ...


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
            raise UserError(f"gpu={self.name} takes its seconds from a pilot: add plan.pilot=FOLDER, or name a GPU")
        return work.seconds
