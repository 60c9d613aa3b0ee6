"""A strategy at another temperature than the policy's own."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ttcs.core import Parallel, Problem, Sample, Search, Strategy, Trajectory
from ttcs.errors import UserError


@dataclass(frozen=True, slots=True)
class Heated:
    """Samples for which the strategy names no temperature of its own have this one.

    Where the first ones have another, as greedy's, the search is a UserError: it would be the same at any.
    """

    strategy: Strategy
    temperature: float

    def search(self, problem: Problem) -> Search:
        return self._heated(self.strategy.search(problem))

    def _heated(self, search: Search) -> Search:
        reply: tuple[Trajectory, ...] | None = None
        try:
            while True:
                said = next(search) if reply is None else search.send(reply)
                if isinstance(said, Sample):
                    if reply is None and said.temperature not in (None, self.temperature):
                        raise UserError(
                            f"temperature={self.temperature:g} cannot be honoured: the strategy samples at "
                            f"{said.temperature:g} whatever it is"
                        )
                    said = said if said.temperature is not None else replace(said, temperature=self.temperature)
                elif isinstance(said, Parallel):
                    said = Parallel(tuple(map(self._heated, said.searches)))
                reply = yield said
        except StopIteration as end:
            candidates: tuple[Trajectory, ...] = end.value
            return candidates
        finally:
            search.close()
