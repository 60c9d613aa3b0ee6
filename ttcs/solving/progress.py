"""How far a search is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ttcs.core import Continue, Continued


@dataclass(slots=True)
class Progress:
    """Kept up by the thread that searches; anybody may look. A new one is given to each call that is to be watched.

    ended: solutions that have come to their end, those of lookahead left out. tokens: that the policy sampled, of
    requests that are done.
    """

    ended: int = 0
    tokens: int = 0

    def add(self, request: Continue, result: Continued) -> None:
        self.tokens += sum(len(step.tokens) for step in result.steps) + result.unseen
        whole = replace(request.trajectory, steps=(*request.trajectory.steps, *result.steps))
        self.ended += whole.finished and not request.lookahead
