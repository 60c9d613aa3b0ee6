"""Solutions whose steps are labelled: what a verifier is trained on, wherever they come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Protocol

from ttcs.core import Problem


@dataclass(frozen=True, slots=True)
class Labelled:
    """A solution, and for each of its steps the chance that it ends right from there on (None: not known).

    steps: texts, none blank. attempts: the texts of those that it revises, oldest first.
    """

    problem: Problem
    steps: tuple[str, ...]
    labels: tuple[float | None, ...]
    attempts: tuple[str, ...] = ()


class Source(Protocol):
    """Where labelled solutions come from; the same ones in the same order each time."""

    def solutions(self) -> Iterator[Labelled]:
        """UserError when there are none."""
        ...


def flipped(solution: Labelled, share: float, seed: int) -> Labelled:
    """Each label exchanged for its opposite with probability `share`.

    For a verifier that is weak on purpose (Snell et al., ICLR 2025, figure 17: share = 0.2). The draw depends on the
    seed and the solution alone.
    """
    draw = Random(f"{seed}/flip/{solution.problem.question}/{solution.attempts}/{solution.steps}")
    labels = [1 - label if label is not None and draw.random() < share else label for label in solution.labels]
    return replace(solution, labels=tuple(labels))
