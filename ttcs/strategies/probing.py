from __future__ import annotations

from dataclasses import dataclass, replace

from ttcs.core import Append, Parallel, Problem, Sample, Search, Trajectory
from ttcs.strategies.checks import at_least
from ttcs.strategies.thinking import begun, conclude, ended


@dataclass(frozen=True, slots=True)
class Probing:
    """A thinking ends when the answer that it would give no longer changes (Dynasor, Fu et al., 2024, section 4).

    n: runs side by side. every: tokens of thinking from one probe to the next. In a probe the policy is made to answer
    as if its thinking had ended, greedily and in `probe` tokens at most; the answer is thrown away, and its tokens are
    charged as lookahead. agree: so many probes in a row that answer the same end the thinking. thinking, answer: tokens
    of them at most, as for budget forcing.
    """

    n: int
    thinking: int
    answer: int
    every: int
    agree: int
    probe: int

    def __post_init__(self) -> None:
        sizes = {"thinking": self.thinking, "answer": self.answer, "every": self.every}
        at_least(1, n=self.n, agree=self.agree, probe=self.probe, **sizes)

    def search(self, problem: Problem) -> Search:
        return (yield Parallel(tuple(self.run(start) for start in begun(problem, self.n))))

    def run(self, start: Trajectory) -> Search:
        thought, probes = start, Probes()
        for most in (*range(self.every, self.thinking, self.every), self.thinking):
            (thought,) = yield Sample((thought,), thinking=most, answer=self.answer)
            if ended(thought) or not thought.live or most == self.thinking:
                break
            closed = yield Append((thought,), cut=True)
            total = thought.thinking_tokens + self.probe
            probe = Sample(closed, temperature=0, lookahead=True, total=total)
            probes.told += yield replace(probe, enough=probes.hear, seen=probes.latest(self.agree - 1))
            if probes.agree(self.agree):
                break
        return tuple((yield from conclude([thought], self.thinking + self.answer)))


@dataclass(slots=True)
class Probes:
    """Those of one run. groups: of the latest ones."""

    told: tuple[Trajectory, ...] = ()
    groups: tuple[int | None, ...] = ()

    def latest(self, count: int) -> tuple[Trajectory, ...]:
        return self.told[len(self.told) - count :] if count < len(self.told) else self.told

    def hear(self, drawn: tuple[Trajectory, ...], groups: tuple[int | None, ...]) -> bool:
        """One probe is all that is asked for; what it says is told by its group among those before it."""
        self.groups = groups
        return bool(drawn)

    def agree(self, count: int) -> bool:
        return len(self.groups) == count and None not in self.groups and len(set(self.groups)) == 1
