"""What engines are asked, and what they answer: a policy continues trajectories, a PRM scores their steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ttcs.core.solution import Step, Trajectory


@dataclass(frozen=True, slots=True)
class ModelSize:
    """What the FLOPs of a forward pass are counted from.

    parameters: weights that multiply activations (the input embedding table does not, the output head does).
    """

    name: str
    parameters: int
    layers: int
    hidden: int


@dataclass(frozen=True, slots=True)
class Continue:
    """One request to a policy: continue `trajectory` by at most `max_steps` steps and `max_tokens` tokens.

    `seed` alone decides the randomness, so the result does not depend on what else is in the batch.
    `capped`: `max_tokens` comes from the budget of the run, so running out of it is `Stop.BUDGET`.
    thinking, answer, total, suppress, confidence, least: see `Sample`.
    order: the number of its problem in the order of arrival. The smallest is served first; no result depends on it.
    lookahead: see `Sample`. No result depends on it either.
    """

    trajectory: Trajectory
    max_steps: int | None
    max_tokens: int | None
    temperature: float | None
    seed: int
    capped: bool = False
    logprobs: bool = False
    thinking: int | None = None
    answer: int | None = None
    total: int | None = None
    suppress: bool = False
    order: int = 0
    confidence: int | None = None
    least: tuple[float, int] | None = None
    lookahead: bool = False

    @property
    def limit(self) -> int | None:
        """Tokens that the strategy wants at most; None: as many as there may be."""
        most = self.total if self.thinking is None else self.thinking
        return None if most is None else max(0, most - self.trajectory.thinking_tokens)


@dataclass(frozen=True, slots=True)
class Continued:
    """Result of a `Continue`. `steps` carry node = -1 until the scheduler numbers them.

    prompt_tokens: tokens of problem and prefix; cached_tokens: how many of them were not computed anew.
    unseen: tokens that were sampled and are in no step, as where a server shows nothing of them.
    """

    steps: tuple[Step, ...]
    prompt_tokens: int
    cached_tokens: int
    unseen: int = 0


@dataclass(frozen=True, slots=True)
class Judge:
    """One request to a PRM: score the steps of `trajectory` that are not blank and have no score.

    order: as a `Continue`'s.
    """

    trajectory: Trajectory
    order: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """Result of a `Judge`: a score per step; tokens read, and how many of them came from the cache.

    None: a blank step, or one that this PRM gives no score (an outcome reward model scores the last one only).
    limit: tokens that the PRM reads at most, where the solution has more and was not read.
    """

    scores: tuple[float | None, ...]
    tokens: int
    cached_tokens: int
    limit: int | None = None


class Policy(Protocol):
    """A language model as an engine: add requests at any time, `step` does some work and returns what finished."""

    size: ModelSize
    capacity: int  # requests it can work on at once
    max_tokens: int  # longest solution, in tokens
    cache_tokens: int | None  # whose keys and values it holds; None: it does not say

    def add(self, ticket: int, request: Continue) -> None: ...

    def step(self) -> list[tuple[int, Continued]]: ...

    def cancel(self, ticket: int) -> Continued | None:
        """Give up a request that `step` has not returned: nothing is decoded for it beyond a step that is under way.

        What it has come to, as far as the engine has told; None: it was not begun. `unseen` are the tokens of a step
        that has not ended.
        """
        ...

    def wake(self) -> None:
        """From another thread: have a `step` that waits for others, as for a server, return with what there is."""
        ...

    def append(self, text: str | None, cut: bool) -> tuple[Step, ...]:
        """The steps of an `Append`, with node = -1."""
        ...

    def reset(self) -> None:
        """Forget what earlier runs left in caches, so that a run's costs are its own."""
        ...

    def close(self) -> None:
        """End what works for it beside this process or thread; it is asked nothing any more, but may be closed again.

        Its memory goes with the last reference.
        """
        ...


class PRM(Protocol):
    """A process reward model as an engine."""

    size: ModelSize
    capacity: int
    cache_tokens: int | None

    def add(self, ticket: int, request: Judge) -> None: ...

    def step(self) -> list[tuple[int, Judged]]: ...

    def cancel(self, ticket: int) -> None:
        """Give up a request that `step` has not returned: what of it nobody has begun to read is not read."""
        ...

    def wake(self) -> None:
        """As a policy's."""
        ...

    def reset(self) -> None:
        """As a policy's."""
        ...

    def close(self) -> None:
        """As a policy's."""
        ...
