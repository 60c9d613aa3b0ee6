"""A simulated policy and PRM that take the time of a GPU: what they write and score is scripted, when is computed.

They stand for two vLLM engines in processes of their own: they go on while nobody asks, `step` waits as those of
`VLLMPolicy` and `VLLMPRM` do, requests of the oldest problem go first, and prefixes are kept in blocks until others
need the room.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import heapify, heappop, heappush
from typing import Protocol

from ttcs.core import Continue, Continued, Judge, Judged, ModelSize, Step, Trajectory
from ttcs.core.queue import Queue
from ttcs.planning.blocks import BlockCache, blocks, chain
from ttcs.planning.device import Device
from ttcs.planning.machine import Costs
from ttcs.policies.scripted import so_far

WRITING, READING = 0.05, 0.002  # seconds that `step` waits, as with vLLM


class Writer(Protocol):
    """What a policy would write, without the time it takes: a scripted policy."""

    size: ModelSize
    capacity: int
    max_tokens: int

    def continued(self, request: Continue) -> Continued: ...

    def append(self, text: str | None, cut: bool) -> tuple[Step, ...]: ...


class Judgement(Protocol):
    """What a PRM would say: a scripted one."""

    size: ModelSize
    capacity: int

    def judged(self, trajectory: Trajectory) -> Judged: ...


@dataclass(slots=True)
class Row:
    """A request being decoded. blocks, tokens: of all that it will have in the end. begun: passes before its first."""

    ticket: int
    result: Continued
    blocks: list[int]
    tokens: int
    begun: int


class SimulatedPolicy:
    """costs: of its model on its GPU. cache_tokens: that its blocks hold."""

    def __init__(self, writer: Writer, costs: Costs, cache_tokens: int, device: Device) -> None:
        self.size, self.capacity, self.max_tokens = writer.size, writer.capacity, writer.max_tokens
        self.append = writer.append
        self.cache_tokens: int | None = cache_tokens
        self.decoded = self.passes = 0
        self._writer, self._costs, self._device = writer, costs, device
        self._room = cache_tokens
        self._cache = BlockCache(cache_tokens)
        self._queue = Queue[Continue]()
        self._rows: list[tuple[int, int, Row]] = []  # a heap: the pass that writes its last token, the ticket
        self._held = self._attended = self._begun = 0
        self._done: list[tuple[int, Continued]] = []
        self.news = False
        device.join("policy", self)

    def add(self, ticket: int, request: Continue) -> None:
        self._queue.add(ticket, request)

    def cancel(self, ticket: int) -> Continued | None:
        """A pass that is under way takes as long as it would have."""
        self._queue.cancel(ticket)
        if done := [result for name, result in self._done if name == ticket]:
            self._done = [entry for entry in self._done if entry[0] != ticket]
            return done[0]
        row = next((row for _, name, row in self._rows if name == ticket), None)
        if row is None:
            return None
        self._rows = [entry for entry in self._rows if entry[1] != ticket]
        heapify(self._rows)
        self._held -= row.tokens
        self._attended -= row.result.prompt_tokens + self._begun - row.begun
        return so_far(row.result, self.passes - row.begun)

    def wake(self) -> None:
        """It waits for nobody."""

    def reset(self) -> None:
        self._cache.clear()

    def close(self) -> None:
        """Nothing works for it."""

    def step(self) -> list[tuple[int, Continued]]:
        """Wait for a token."""
        if self._rows or self._queue:
            self._device.wait("policy", WRITING)
        self.news = False
        done, self._done = self._done, []
        return done

    def begin(self) -> float | None:
        read = 0
        while self._queue and len(self._rows) < self.capacity and (self._held < self._room or not self._rows):
            read += self._open(*self._queue.pop())
        if not self._rows:
            return None
        self._attended += len(self._rows)
        self._begun += 1
        costs = self._costs
        return costs.weights + costs.context * self._attended + costs.read * read

    def end(self) -> None:
        self.passes += 1
        self.decoded += len(self._rows)
        self.news = True
        while self._rows and self._rows[0][0] <= self.passes:
            row = heappop(self._rows)[2]
            self._held -= row.tokens
            self._attended -= row.tokens
            self._cache.use(row.blocks)
            self._done.append((row.ticket, row.result))

    def _open(self, ticket: int, request: Continue) -> int:
        """Begin a request; tokens of its prefix that have to be read."""
        result = self._writer.continued(request)
        trajectory = request.trajectory
        steps = [step.tokens for step in (*trajectory.steps, *result.steps)]
        written = sum(len(step.tokens) for step in result.steps)
        tokens = result.prompt_tokens + written
        lengths = [tokens - sum(map(len, steps)), *map(len, steps)]
        row = blocks(chain(hash((trajectory.problem.id, trajectory.history)), steps), lengths)
        prefix = row[: result.prompt_tokens // self._cache.size]
        cached = self._cache.cached(prefix, result.prompt_tokens)
        self._cache.use(prefix)
        told = replace(result, cached_tokens=cached)
        opened = Row(ticket, told, row, tokens, self.passes)
        heappush(self._rows, (self.passes + max(1, written), ticket, opened))
        self._held += tokens
        self._attended += result.prompt_tokens
        return result.prompt_tokens - cached


class SimulatedPRM:
    """costs: of its model on its GPU. cache_tokens: that its blocks hold.

    template: tokens that its format adds to a step. batch_tokens: read in one pass at most (vLLM's
    max_num_batched_tokens).
    """

    def __init__(
        self, judgement: Judgement, costs: Costs, cache_tokens: int, template: int, batch_tokens: int, device: Device
    ) -> None:
        self.size, self.capacity = judgement.size, judgement.capacity
        self.cache_tokens: int | None = cache_tokens
        self.computed = 0
        self._judgement, self._costs, self._device = judgement, costs, device
        self._template, self._batch_tokens = template, batch_tokens
        self._cache = BlockCache(cache_tokens)
        self._queue = Queue[Judge]()
        self._pass: list[tuple[int, Judged]] = []
        self._done: list[tuple[int, Judged]] = []
        device.join("prm", self)

    def add(self, ticket: int, request: Judge) -> None:
        self._queue.add(ticket, request)

    def cancel(self, ticket: int) -> None:
        """What is read already is paid for."""
        self._queue.cancel(ticket)
        self._pass = [entry for entry in self._pass if entry[0] != ticket]
        self._done = [entry for entry in self._done if entry[0] != ticket]

    def wake(self) -> None:
        """It waits for nobody."""

    def reset(self) -> None:
        self._cache.clear()

    def close(self) -> None:
        """Nothing works for it."""

    def step(self) -> list[tuple[int, Judged]]:
        """Wait for a score."""
        if self._queue or self._pass:
            self._device.wait("prm", READING)
        done, self._done = self._done, []
        return done

    @property
    def news(self) -> bool:
        return bool(self._done)

    def begin(self) -> float | None:
        read = 0
        while self._queue and read < self._batch_tokens and len(self._pass) < self.capacity:
            ticket, request = self._queue.pop()
            result = self._read(request.trajectory)
            self._pass.append((ticket, result))
            read += result.tokens - result.cached_tokens
        self.computed += read
        return max(self._costs.weights, self._costs.read * read) if self._pass else None

    def end(self) -> None:
        self._done += self._pass
        self._pass = []

    def _read(self, trajectory: Trajectory) -> Judged:
        result = self._judgement.judged(trajectory)
        own = sum(len(step.tokens) for step in trajectory.steps)
        lengths = [result.tokens - own, *(len(step.tokens) + self._template for step in trajectory.steps)]
        sequence = blocks(chain(hash(trajectory.problem.id), (step.tokens for step in trajectory.steps)), lengths)
        tokens = sum(lengths)
        cached = self._cache.cached(sequence, tokens)
        self._cache.use(sequence)
        return Judged(result.scores, tokens, cached)
