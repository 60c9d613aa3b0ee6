"""What tells one family of PRMs from another: what it reads, and how its output becomes a score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from ttcs.core import Problem
from ttcs.models.pieces import Prefix
from ttcs.prms.head import Head


class Reader(Protocol):
    """Writes a solution for a PRM."""

    def __call__(self, problem: Problem, steps: Sequence[str], attempts: Sequence[str] = ()) -> Sequence[Prefix | None]:
        """For each step the tokens whose last position is read for its score.

        steps: texts, none blank. attempts: those that the solution revises, oldest first; most families leave them out.
        None: this family gives that step no score (an outcome reward model reads only the last one). The prefixes of a
        step and of a later one should share as many leading tokens as they can: that much is cached.
        """
        ...


class Format(Protocol):
    """One scoring format; a frozen dataclass whose fields are what may differ from checkpoint to checkpoint."""

    @property
    def head(self) -> Head: ...

    def reader(self, tokenizer: Any, model: str) -> Reader:
        """How solutions are written for this PRM. UserError when the tokenizer lacks what the format needs."""
        ...
