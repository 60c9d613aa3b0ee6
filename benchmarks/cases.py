"""What is searched: the zoo's own problems, and ones with longer and less even solutions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from benchmarks import lengths, zoo
from ttcs.core import Policy, Problem


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    policy: Policy
    problems: Sequence[Problem]
    n: int

    def __str__(self) -> str:
        return f"{len(self.problems)} {self.name} problems, n = {self.n}"


@cache
def shaped() -> lengths.ShapedPolicy:
    return lengths.ShapedPolicy(lengths.LONG)


def cases(count: int, n: int) -> list[Case]:
    return [
        Case("zoo", zoo.policy(), zoo.problems(count), n),
        Case("long", shaped(), lengths.problems(count), n),
    ]
