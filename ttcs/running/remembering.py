"""A policy that is never asked the same twice, not even after a kill."""

from __future__ import annotations

from dataclasses import dataclass, field

from ttcs.core import Continue, Continued, ModelSize, Policy, Step
from ttcs.records.drawn import Drawn
from ttcs.search.clock import Clock


@dataclass(slots=True)
class Remembering:
    """Answers from `drawn` what is there, and keeps there what the policy answers."""

    policy: Policy
    drawn: Drawn
    clock: Clock
    size: ModelSize = field(init=False)
    capacity: int = field(init=False)
    max_tokens: int = field(init=False)
    cache_tokens: int | None = field(init=False)
    _known: list[tuple[int, Continued]] = field(init=False, default_factory=list)
    _asked: dict[int, Continue] = field(init=False, default_factory=dict)  # of the policy, by ticket

    def __post_init__(self) -> None:
        self.size, self.capacity = self.policy.size, self.policy.capacity
        self.max_tokens, self.cache_tokens = self.policy.max_tokens, self.policy.cache_tokens

    def add(self, ticket: int, request: Continue) -> None:
        if (known := self.drawn.find(request)) is not None:
            self._known.append((ticket, known))
        else:
            self.policy.add(ticket, request)
            self._asked[ticket] = request

    def step(self) -> list[tuple[int, Continued]]:
        if self._known:
            known, self._known = self._known, []
            return known
        done = self.policy.step()
        for ticket, result in done:
            self.drawn.add(self._asked.pop(ticket), result, self.clock.seconds())
        return done

    def cancel(self, ticket: int) -> Continued | None:
        if self._asked.pop(ticket, None) is not None:
            return self.policy.cancel(ticket)
        known = dict(self._known)
        self._known = [(other, result) for other, result in self._known if other != ticket]
        return known.get(ticket)

    def wake(self) -> None:
        self.policy.wake()

    def append(self, text: str | None, cut: bool) -> tuple[Step, ...]:
        return self.policy.append(text, cut)

    def reset(self) -> None:
        self.policy.reset()

    def close(self) -> None:
        self.policy.close()
