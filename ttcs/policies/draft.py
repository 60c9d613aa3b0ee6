"""What a policy has written in answer to one request: where its steps end, and when it has done what was asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import nan
from typing import Any

from ttcs.core import Continue, Step, Stop
from ttcs.errors import UserError
from ttcs.models.boundaries import Boundaries


@dataclass(frozen=True, slots=True)
class Rules:
    """When a policy's steps and solutions end; the same on every engine.

    ends: tokens that end a turn. end_at_box: a step with a \\boxed answer is the last one. decode: tokens -> text,
    special tokens left out. max_tokens: longest solution; context: longest sequence, prompt included.
    """

    boundaries: Boundaries
    ends: frozenset[int]
    end_at_box: bool
    decode: Callable[[Sequence[int]], str]
    max_tokens: int
    context: int

    def room(self, request: Continue, prompt_tokens: int) -> int:
        """How many tokens a request may still add; prompt_tokens: length of problem, history and prefix.

        UserError when the history leaves no room for another attempt as long as those in it.
        """
        history, own = request.trajectory.history, len(request.trajectory.tokens)
        longest = max((len(turn.attempt.tokens) for turn in history), default=0)
        if longest and self.context - prompt_tokens + own < min(longest, self.max_tokens):
            raise UserError(
                f"problem {request.trajectory.problem.id}: {len(history)} earlier attempts take {prompt_tokens - own} "
                f"of the {self.context} tokens that the policy reads, too many for another attempt: a smaller "
                "strategy.window or policy.max_tokens keeps a chain within them"
            )
        room = min(self.max_tokens - own, self.context - prompt_tokens)
        return max(0, room if request.max_tokens is None else min(room, request.max_tokens))


@dataclass(slots=True)
class Draft:
    """Reads a request's tokens one by one. room: tokens it may have; more are never read."""

    rules: Rules
    request: Continue
    room: int
    tokens: list[int] = field(init=False, default_factory=list)
    logprobs: list[float] = field(init=False, default_factory=list)
    _ends: list[tuple[int, Stop]] = field(init=False, default_factory=list)  # where steps end in `tokens`
    _content: bool = field(init=False, default=False)  # the current step is more than white space

    def append(self, token: int, logprob: float = nan) -> None:
        """Add a token and note whether a step, the solution or the room for it ended."""
        self.logprobs.append(logprob)
        boundary = self.rules.boundaries.ends_step(self.tokens[-1] if self.tokens else None, token)
        self.tokens.append(token)
        self._content = self._content or token in self.rules.boundaries.solid
        if token in self.rules.ends:
            self._ends.append((len(self.tokens), Stop.END))
        elif boundary and self._content:
            boxed = self.rules.end_at_box and r"\boxed" in self.rules.decode(self.tokens[self._last :])
            self._ends.append((len(self.tokens), Stop.END if boxed else Stop.STEP))
            self._content = False
        if len(self.tokens) == self.room:
            self._cut()

    @property
    def finished(self) -> bool:
        """Whether it is what was asked for, or can be no longer."""
        if self.room == 0:
            return True
        if not self._ends or self._last < len(self.tokens):
            return False
        limit = self.request.max_steps
        return (
            self._ends[-1][1] is not Stop.STEP
            or len(self.tokens) == self.room
            or (limit is not None and len(self._ends) >= limit)
        )

    @property
    def live(self) -> bool:
        """Whether the solution can go on from here."""
        return bool(self._ends) and self._ends[-1][1] is Stop.STEP

    def steps(self) -> tuple[Step, ...]:
        """The steps, once finished; without room for a single token one empty step that says why."""
        if self.room == 0:
            return (Step(-1, (), "", self._limit),)
        steps, start = [], 0
        for end, stop in self._ends:
            # A token's text may depend on the one before it, so that of a step is what it adds.
            text = self.rules.decode(self.tokens[:end])[len(self.rules.decode(self.tokens[:start])) :]
            logprobs = tuple(self.logprobs[start:end]) if self.request.logprobs else None
            steps.append(Step(-1, tuple(self.tokens[start:end]), text, stop, logprobs=logprobs))
            start = end
        return tuple(steps)

    def _cut(self) -> None:
        """Note that the room is used up, unless the last token ended what was asked for."""
        stop = self._ends[-1][1] if self._ends else Stop.STEP
        if self._last < len(self.tokens):
            self._ends.append((len(self.tokens), self._limit))
        elif stop is Stop.STEP and (self.request.max_steps is None or len(self._ends) < self.request.max_steps):
            self._ends[-1] = (self._last, self._limit)

    @property
    def _last(self) -> int:
        """Where the last step ended."""
        return self._ends[-1][0] if self._ends else 0

    @property
    def _limit(self) -> Stop:
        return Stop.BUDGET if self.request.capped and self.room == self.request.max_tokens else Stop.LENGTH


def rules(tokenizer: Any, generation_config: Any, end_at_box: bool, max_tokens: int, context: int) -> Rules:
    """Read off a checkpoint; the tokens that end a turn are the tokenizer's and those of its generation config."""

    def decode(tokens: Sequence[int]) -> str:
        text: str = tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    found = getattr(generation_config, "eos_token_id", None)
    listed = found if isinstance(found, list) else [found]
    ends = frozenset(i for i in (*listed, tokenizer.eos_token_id) if i is not None)
    return Rules(Boundaries(tokenizer), ends, end_at_box, decode, max_tokens, context)
