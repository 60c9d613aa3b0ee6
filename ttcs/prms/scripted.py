"""A simulated PRM that sees whether a scripted step is right, as clearly as it is told to."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from zlib import crc32

from ttcs.core import Judge, Judged, ModelSize, Trajectory
from ttcs.core.queue import Queue
from ttcs.policies.scripted import words
from ttcs.prms.scripted_belief import ScriptedBelief

SIZE = ModelSize("scripted-prm", parameters=2_000_000, layers=4, hidden=64)
MISTAKE, DEGREE, BLINDNESS = 0x9E3779B97F4A7C15, 0xD1342543DE82EF95, 0xBF58476D1CE4E5B9  # odd multipliers of a hash


@dataclass(slots=True)
class ScriptedPRM:
    """Scores a step in [0.5, 1] if it takes the solution to be right so far, else in [0, 0.5].

    quality: its verdict is wrong with probability (1 - quality) / 2, so 1 is an oracle and 0 knows nothing. Verdict and
    score depend on the seed, the problem and the text up to the step alone. What a scored step needed is cached, as in
    an incremental PRM.
    blind: share of the problems whose mistakes it takes for right steps: there no search gains by it.
    belief: what it believes of chains in the place of all this.
    context: longest problem and solution that it reads, in tokens (None: any).
    capacity: trajectories in a batch. shuffle: hand results back in a random order.
    """

    quality: float = 0.7
    blind: float = 0.0
    belief: ScriptedBelief | None = None
    context: int | None = None
    capacity: int = 32
    shuffle: bool = False
    seed: int = 0
    size: ModelSize = SIZE
    cache_tokens: int | None = None
    _queue: Queue[Judge] = field(init=False, default_factory=Queue)
    _order: random.Random = field(init=False, default_factory=lambda: random.Random(0))

    def add(self, ticket: int, request: Judge) -> None:
        self._queue.add(ticket, request)

    def cancel(self, ticket: int) -> None:
        self._queue.cancel(ticket)

    def wake(self) -> None:
        """It waits for nobody."""

    def reset(self) -> None:
        """Nothing is left behind."""

    def close(self) -> None:
        """Nothing works for it."""

    def step(self) -> list[tuple[int, Judged]]:
        batch = self._queue.take(self.capacity)
        done = [(ticket, self.judged(request.trajectory)) for ticket, request in batch]
        if self.shuffle:
            self._order.shuffle(done)
        return done

    def judged(self, trajectory: Trajectory) -> Judged:
        tokens, cached, right = words(trajectory.problem.question), 0, True
        text = crc32(trajectory.problem.id.encode(), self.seed)
        blind = _uniform(text, BLINDNESS) < self.blind
        scores: list[float | None] = []
        if self.context is not None and tokens + sum(len(step.tokens) for step in trajectory.steps) > self.context:
            return Judged(tuple(step.score for step in trajectory.steps), 0, 0, self.context)
        for depth, step in enumerate(trajectory.steps, 1):
            tokens += len(step.tokens)
            text = crc32(step.text.encode(), text)
            right = right and (blind or " err " not in step.text)
            if step.blank:
                scores.append(None)
            elif self.belief is None:
                scores.append(self._score(right, text))
            elif step.score is None:
                scores.append(self.belief.score(trajectory.problem, trajectory.steps[:depth], self.seed))
            else:
                scores.append(step.score)
            if step.score is not None:
                cached = tokens
        return Judged(tuple(scores), tokens, cached)

    def _score(self, right: bool, text: int) -> float:
        mistaken = _uniform(text, MISTAKE) < (1 - self.quality) / 2
        return ((right != mistaken) + _uniform(text, DEGREE)) / 2


def _uniform(text: int, multiplier: int) -> float:
    """A number in [0, 1) from a hash of the text."""
    return (text * multiplier & 0xFFFFFFFFFFFFFFFF) / 2**64
