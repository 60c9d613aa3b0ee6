"""What a search under way waits for: requests that may run side by side, searches that do, answers to be read."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ttcs.core import Continue, Continued, Judge, Trajectory
from ttcs.search.streams import Stream

Reply = tuple[Trajectory, ...]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Sampling:
    """A wave for the policy."""

    requests: list[Continue]


@dataclass(frozen=True, slots=True)
class Drawing:
    """More of a stream is begun; the result is what comes next of it, at least one."""

    stream: Stream[Continue, Continued]
    requests: list[Continue]


@dataclass(frozen=True, slots=True)
class Closing:
    """Nothing more of a stream is wanted: what is still running is cancelled. There is no result."""

    stream: Stream[Continue, Continued]


@dataclass(frozen=True, slots=True)
class Reading:
    """Answers to be read, which may take seconds. read: does it, in another thread, and has the result."""

    read: Callable[[], list[Any]]


@dataclass(frozen=True, slots=True)
class Scoring:
    """A wave for the PRM."""

    requests: list[Judge]


@dataclass(frozen=True, slots=True)
class Branching:
    """Searches that run side by side, at least one; the result of each is its candidates."""

    branches: list[Running[Reply]]


class LateError(Exception):
    """The time of a search is up. results: what has come of the wave that it waits for, by place.

    What an engine was still working on is among them, as far as it had come.
    """

    def __init__(self, results: Mapping[int, Any] | None = None) -> None:
        super().__init__()
        self.results = results or {}


Wave = Sampling | Drawing | Closing | Reading | Scoring | Branching
Running = Generator[Wave, list[Any], Result]  # yields waves, is sent one result per request or branch, in order
