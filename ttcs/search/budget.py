"""What a search may spend at most, and which requests that can pay for, whatever they turn out to cost."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ttcs.core import Continue, ModelSize
from ttcs.search.ledger import Ledger, flops


@dataclass(frozen=True, slots=True)
class Budget:
    """The most one problem's search may spend; None: no limit. Units as in `Ledger`.

    tokens: decoded tokens, lookahead included; never exceeded.
    generations: never exceeded.
    flops: policy and PRM together, as measured: what the caches saved is not charged, so with this limit (alone) what a
        search may do depends on the cache's luck. The policy never exceeds it once the length of the prompt is known
        (after the first request); the PRM's cost is known only afterwards and the final scoring is always done, so
        they may.
    """

    generations: int | None = None
    tokens: int | None = None
    flops: int | None = None

    def left(self, ledger: Ledger) -> Budget:
        """What remains after the ledger's charges."""
        return Budget(
            _less(self.generations, ledger.generations),
            _less(self.tokens, ledger.decoded_tokens),
            _less(self.flops, ledger.policy_flops + ledger.prm_flops),
        )


def _less(limit: int | None, spent: int) -> int | None:
    return None if limit is None else limit - spent


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the worst case of a request is computed from.

    max_tokens: longest solution of the policy. prompt_tokens: of the problem, None until a result has told.
    """

    size: ModelSize
    max_tokens: int
    prompt_tokens: int | None


def admit(requests: Sequence[Continue], left: Budget, bounds: Bounds) -> list[Continue]:
    """As many of `requests`, in order, as fit what is left at their worst; if not even one does, the first, cut to fit.

    Empty when nothing can be bought any more; all of them without limits. Under a limit on FLOPs the first request of a
    search goes alone: only its result tells how long the prompt is. What the chat template puts between the attempts of
    a history is not counted beforehand.
    """
    if left == Budget():
        return list(requests)
    admitted: list[Continue] = []
    for request in requests:
        cut = _cut(request, left, bounds)
        if cut is None or (admitted and cut is not request):
            break
        admitted.append(cut)
        left = _pay(cut, left, bounds)
        if cut is not request or (left.flops is not None and bounds.prompt_tokens is None):
            break
    return admitted


def _cut(request: Continue, left: Budget, bounds: Bounds) -> Continue | None:
    """The request, itself if its worst case fits, else with lower limits; None if it cannot even take one token."""
    steps, tokens = request.max_steps, _most_tokens(request, bounds)
    affordable = tokens
    if left.generations is not None:
        if left.generations < 1:
            return None
        steps = steps and min(steps, left.generations)
    if left.tokens is not None:
        affordable = min(affordable, left.tokens)
    if left.flops is not None:
        start = _prefix_tokens(request, bounds)
        ends = range(start, start + affordable + 1)
        affordable = bisect_right(ends, left.flops, key=lambda end: flops(bounds.size, 0, end)) - 1
    if affordable < min(1, tokens):
        return None
    if affordable < tokens:
        return replace(request, max_steps=steps, max_tokens=affordable, capped=True)
    return request if steps == request.max_steps else replace(request, max_steps=steps)


def _pay(request: Continue, left: Budget, bounds: Bounds) -> Budget:
    tokens = _most_tokens(request, bounds)
    cost = flops(bounds.size, 0, _prefix_tokens(request, bounds) + tokens)
    return Budget(
        None if left.generations is None else left.generations - (request.max_steps or 1),
        None if left.tokens is None else left.tokens - tokens,
        None if left.flops is None else left.flops - cost,
    )


def _most_tokens(request: Continue, bounds: Bounds) -> int:
    limits = max(0, bounds.max_tokens - _length(request)), request.max_tokens, request.limit
    return min(limit for limit in limits if limit is not None)


def _prefix_tokens(request: Continue, bounds: Bounds) -> int:
    return (bounds.prompt_tokens or 0) + _history(request) + _length(request)


def _length(request: Continue) -> int:
    return sum(len(step.tokens) for step in request.trajectory.steps)


def _history(request: Continue) -> int:
    return sum(len(turn.attempt.tokens) for turn in request.trajectory.history)
