"""What is searched: the zoo's own problems, and ones with longer and less even solutions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from omegaconf import DictConfig

from benchmarks import large, lengths, zoo
from ttcs.core import PRM, Policy, Problem


@dataclass(frozen=True, slots=True)
class Case:
    """config: what `prm` was built from."""

    name: str
    n: int
    problems: Sequence[Problem]
    policy: Policy
    prm: PRM
    config: DictConfig

    def __str__(self) -> str:
        return f"{len(self.problems)} {self.name}, n = {self.n}"


def short(count: int, n: int) -> Case:
    return Case("zoo problems", n, zoo.problems(count), zoo.policy(), zoo.prm(), zoo.configured())


def long(count: int, n: int) -> Case:
    """See `lengths.LONG`."""
    return Case("long problems", n, lengths.problems(count), shaped(), zoo.prm(), zoo.configured())


def long_large(count: int, n: int) -> Case:
    """With a PRM eight times as large as the policy, as in the papers."""
    model = f"prm.model={large.folder()}"
    name = "long problems, large PRM"
    return Case(name, n, lengths.problems(count), shaped(), zoo.prm(model), zoo.configured(model))


@cache
def shaped() -> lengths.ShapedPolicy:
    return lengths.ShapedPolicy(lengths.LONG)
