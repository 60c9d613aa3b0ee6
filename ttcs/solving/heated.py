"""A strategy at another temperature than the policy's own."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ttcs.core import Parallel, Problem, Sample, Search, Strategy, Trajectory


@dataclass(frozen=True, slots=True)
class Heated:
    """Samples for which the strategy names no temperature of its own have this one."""

    strategy: Strategy
    temperature: float

    def search(self, problem: Problem) -> Search:
        return self._heated(self.strategy.search(problem))

    def _heated(self, search: Search) -> Search:
        reply: tuple[Trajectory, ...] | None = None
        try:
            while True:
                said = next(search) if reply is None else search.send(reply)
                if isinstance(said, Sample) and said.temperature is None:
                    said = replace(said, temperature=self.temperature)
                elif isinstance(said, Parallel):
                    said = Parallel(tuple(map(self._heated, said.searches)))
                reply = yield said
        except StopIteration as end:
            candidates: tuple[Trajectory, ...] = end.value
            return candidates
        finally:
            search.close()
