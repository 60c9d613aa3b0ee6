"""Traces that keep to what they were told about their length, for the baselines of s1 (section 3.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ttcs.models.load import load_tokenizer


class Telling(Protocol):
    """How long to think, said to suit a trace."""

    @property
    def share(self) -> float:
        """Of the traces that are told in this way."""
        ...

    def __call__(self, steps: Sequence[str], attempts: int) -> tuple[str, str] | None:
        """(the instruction, the thinking); None: there is no way to say it of this one."""
        ...


@dataclass(frozen=True, slots=True)
class Tokens:
    """The smallest of the `limits` that holds the trace, in the place of {tokens}."""

    share: float
    instruction: str
    limits: Sequence[int]
    tokenizer: str
    _tokenizer: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_tokenizer", load_tokenizer(self.tokenizer))

    def __call__(self, steps: Sequence[str], attempts: int) -> tuple[str, str] | None:
        thinking = "".join(steps)
        used = len(self._tokenizer(thinking, add_special_tokens=False).input_ids)
        limit = min((limit for limit in self.limits if limit >= used), default=None)
        return None if limit is None else (self.instruction.replace("{tokens}", str(limit)), thinking)


@dataclass(frozen=True, slots=True)
class Steps:
    """The number of its steps in the place of {steps}, and the `countdown` before each, {left} of them to go."""

    share: float
    instruction: str
    countdown: str

    def __call__(self, steps: Sequence[str], attempts: int) -> tuple[str, str]:
        counted = zip(range(len(steps), 0, -1), steps, strict=True)
        thinking = "".join(self.countdown.replace("{left}", str(left)) + step for left, step in counted)
        return self.instruction.replace("{steps}", str(len(steps))), thinking


@dataclass(frozen=True, slots=True)
class Lengths:
    """The class whose limits the number of attempts lies in. attempts: class -> (fewest, most)."""

    share: float
    instructions: Mapping[str, str]
    attempts: Mapping[str, Sequence[int]]

    def __call__(self, steps: Sequence[str], attempts: int) -> tuple[str, str] | None:
        fitting = (name for name, (fewest, most) in self.attempts.items() if fewest <= attempts <= most)
        name = next(fitting, None)
        return None if name is None else (self.instructions[name], "".join(steps))
