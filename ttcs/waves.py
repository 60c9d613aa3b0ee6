"""What a search under way waits for: requests that may run side by side, or searches that do."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from ttcs.core import Continue, Judge, Trajectory

Reply = tuple[Trajectory, ...]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Sampling:
    """A wave for the policy."""

    requests: list[Continue]


@dataclass(frozen=True, slots=True)
class Scoring:
    """A wave for the PRM."""

    requests: list[Judge]


@dataclass(frozen=True, slots=True)
class Branching:
    """Searches that run side by side, at least one; the result of each is its candidates."""

    branches: list[Running[Reply]]


Wave = Sampling | Scoring | Branching
Running = Generator[Wave, list[Any], Result]  # yields waves, is sent one result per request or branch, in order
