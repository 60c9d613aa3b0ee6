"""What one problem's search has an engine do: what its time on a machine is computed from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ttcs.records.record import Record

GROWING = "decoded", "read", "prm_tokens", "policy_flops", "prm_flops", "seconds"  # with n; the other fields stay


@dataclass(frozen=True, slots=True)
class Work:
    """Counts as in `Ledger`.

    read: tokens of prompts and prefixes that the policy computed. context: mean length of what a decoded token attends
    to. parameters: of the policy. seconds: this problem's share of the measured wall time (None: not measured).
    """

    decoded: float
    read: float
    prm_tokens: float
    policy_flops: float
    prm_flops: float
    context: float
    parameters: float
    seconds: float | None

    def grown(self, ratio: float, exponents: Mapping[str, float]) -> Work:
        """The work of a search with `ratio` times as many candidates. exponents: field -> power of the ratio."""
        known = {name: value for name in GROWING if (value := getattr(self, name)) is not None}
        return replace(self, **{name: value * ratio ** exponents[name] for name, value in known.items()})


def measured(records: Sequence[Record], parameters: float) -> list[Work]:
    """The work of every record. The wall time of a run is shared out by tokens, decoded and read by the PRM."""
    wall = max(record.run_seconds for record in records)
    total = sum(_tokens(record) for record in records)
    return [_work(record, parameters, wall * _tokens(record) / max(total, 1)) for record in records]


def extrapolated(pilots: Mapping[int, Sequence[Work]], n: int) -> list[Work]:
    """The work at n, from that at the nearest n there is. pilots: n -> work of its problems.

    With two or more n at hand every cost is continued as the power of n that it followed between the two nearest: what
    is the same in several candidates is computed once, so costs may grow more slowly than n. With one they grow as n.
    """
    base, *others = sorted(pilots, key=lambda size: (abs(math.log(size / n)), -size))
    exponents = _exponents(base, others[0], pilots) if others else dict.fromkeys(GROWING, 1.0)
    return [work.grown(n / base, exponents) for work in pilots[base]]


def _exponents(base: int, other: int, pilots: Mapping[int, Sequence[Work]]) -> dict[str, float]:
    found = {}
    for name in GROWING:
        means = [sum(getattr(work, name) or 0.0 for work in pilots[n]) / len(pilots[n]) for n in (base, other)]
        found[name] = math.log(means[0] / means[1]) / math.log(base / other) if min(means) > 0 else 1.0
    return found


def simulated(records: Sequence[Record], parameters: float) -> list[Work]:
    """The same without a time: that of a simulation says nothing about a model's."""
    return [_work(record, parameters, None) for record in records]


def _work(record: Record, parameters: float, seconds: float | None) -> Work:
    ledger = record.ledger
    return Work(
        decoded=ledger.decoded_tokens,
        read=ledger.prompt_tokens - ledger.cached_tokens,
        prm_tokens=ledger.prm_tokens,
        policy_flops=ledger.policy_flops,
        prm_flops=ledger.prm_flops,
        context=(ledger.prompt_tokens + ledger.decoded_tokens / 2) / max(ledger.policy_calls, 1),
        parameters=record.policy_parameters or parameters,
        seconds=seconds,
    )


def _tokens(record: Record) -> int:
    return record.ledger.decoded_tokens + record.ledger.prm_tokens
