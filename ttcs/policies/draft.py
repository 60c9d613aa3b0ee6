"""What a policy has written in answer to one request: where its steps end, and when it has done what was asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import nan
from typing import Any, NamedTuple

from ttcs.core import Continue, Step, Stop
from ttcs.errors import UserError
from ttcs.models.boundaries import Boundaries
from ttcs.models.reasoning import Thinking
from ttcs.policies.sureness import Sureness


@dataclass(frozen=True, slots=True)
class Rules:
    """When a policy's steps and solutions end; the same on every engine.

    ends: tokens that end a turn. end_at_box: a step with a \\boxed answer is the last one. decode: tokens -> text,
    special tokens left out. max_tokens: longest solution; context: longest sequence, prompt included.
    thinking: how thinking is told from the answer; None: the model does not think.
    step_tokens: longest step, where steps are asked for and the strategy sets no limit on the thinking; None: any.
    It is what one step that runs away can hold up all others by. A solution that is asked for whole has no such limit.
    """

    boundaries: Boundaries
    ends: frozenset[int]
    end_at_box: bool
    decode: Callable[[Sequence[int]], str]
    max_tokens: int
    context: int
    thinking: Thinking | None = None
    step_tokens: int | None = None

    @property
    def suppressed(self) -> list[int]:
        """Tokens that a policy whose end is suppressed must not go on with."""
        return sorted(self.ends if self.thinking is None else self.ends | {self.thinking.first})

    def append(self, text: str | None, cut: bool) -> tuple[Step, ...]:
        """As a policy's."""
        if self.thinking is None:
            raise UserError(
                "this strategy steers the thinking of a reasoning model, and the policy is none: choose one "
                "(policy=zoo_reasoning), or say with policy/reasoning how yours is told from its answer (docs/s1.md)"
            )
        return self.thinking.closed(cut) if text is None else self.thinking.appended(text)

    def room(self, request: Continue, prompt_tokens: int) -> int:
        """How many tokens a request may still add; prompt_tokens: length of problem, history and prefix.

        UserError when the history leaves no room for another attempt as long as those in it, or the policy's limits
        none for what a strategy has promised to keep to.
        """
        history, own = request.trajectory.history, len(request.trajectory.tokens)
        longest = max((len(turn.attempt.tokens) for turn in history), default=0)
        if longest and self.context - prompt_tokens + own < min(longest, self.max_tokens):
            raise UserError(
                f"problem {request.trajectory.problem.id}: {len(history)} earlier attempts take {prompt_tokens - own} "
                f"of the {self.context} tokens that the policy reads, too many for another attempt: a smaller "
                "strategy.window or policy.max_tokens keeps a chain within them"
            )
        room = max(0, min(self.max_tokens - own, self.context - prompt_tokens))
        self._check(request, room)
        return min(limit for limit in (room, request.max_tokens, request.limit) if limit is not None)

    def _check(self, request: Continue, room: int) -> None:
        wanted = request.limit or 0
        if request.thinking is not None:
            end = self.append(None, True)  # which says so where the policy does not think
            wanted += (request.answer or 0) + sum(len(step.tokens) for step in end)
        if wanted > room:
            raise UserError(
                f"problem {request.trajectory.problem.id}: the strategy may need {wanted} tokens more, but "
                f"policy.max_tokens={self.max_tokens} and the {self.context} tokens that the policy reads leave {room}"
            )


class End(NamedTuple):
    """Where a step ends in the tokens of a draft, why, and whether it is thinking."""

    at: int
    stop: Stop
    thinking: bool


@dataclass(slots=True)
class Draft:
    """Reads a request's tokens one by one. room: tokens it may have; more are never read."""

    rules: Rules
    request: Continue
    room: int
    tokens: list[int] = field(init=False, default_factory=list)
    logprobs: list[float] = field(init=False, default_factory=list)
    sureness: Sureness = field(init=False)
    _ends: list[End] = field(init=False, default_factory=list)
    _content: bool = field(init=False, default=False)  # the current step is more than white space
    _thinking: bool = field(init=False)  # where the next token belongs
    _tail: str = field(init=False, default="")  # the latest text, as far as the end of the thinking may be in it

    def __post_init__(self) -> None:
        self._thinking = self.rules.thinking is not None and not self.request.trajectory.thought
        self.sureness = Sureness(self.request.least)

    def append(self, token: int, logprob: float = nan, confidence: float = nan) -> None:
        """Add a token and note whether a step, the thinking, the solution or the room for it ended."""
        self.logprobs.append(logprob)
        if self.request.confidence is not None:
            self.sureness.add(confidence)
        boundary = self.rules.boundaries.ends_step(self.tokens[-1] if self.tokens else None, token)
        self.tokens.append(token)
        self._content = self._content or token in self.rules.boundaries.solid
        if token in self.rules.ends:
            self._turn_over()
        elif self._thinking and self._marked(token):
            # A token may hold the last of the mark and something behind it.
            self._thought(self._overlap(len(self._tail) - self._tail.rindex(self._mark)))
        elif boundary and self._content:
            boxed = self._ends_at_box and r"\boxed" in self.rules.decode(self.tokens[self._last :])
            self._end(Stop.END if boxed else Stop.STEP)
        if len(self.tokens) == self.room:
            self._cut()
        elif self.left_of_step == 0:
            self.end_step()
        if self.sureness.doubtful and not self.finished:
            self._doubt()

    def end_step(self) -> None:
        """Note that the step was too long."""
        self._end(Stop.STEP_LENGTH)

    @property
    def left(self) -> int:
        """Tokens that it may still have."""
        return self.room - len(self.tokens)

    @property
    def left_of_step(self) -> int:
        """Tokens that the current step may still have."""
        longest, request = self.rules.step_tokens, self.request
        if longest is None or request.max_steps is None or request.thinking is not None:
            return self.left
        return min(self.left, self._last + longest - len(self.tokens))

    @property
    def suppressed(self) -> list[int]:
        """Tokens that the next one must not be."""
        return self.rules.suppressed if self.request.suppress and not self.tokens else []

    @property
    def finished(self) -> bool:
        """Whether it is what was asked for, or can be no longer."""
        if self.room == 0:
            return True
        if not self._ends or self._last < len(self.tokens):
            return False
        stop, limit = self._ends[-1].stop, self.request.max_steps
        return (
            (stop is not Stop.STEP and (stop is not Stop.THOUGHT or self.request.thinking is not None))
            or len(self.tokens) == self.room
            or (limit is not None and len(self._ends) >= limit)
        )

    @property
    def begun(self) -> int:
        """Tokens behind the last step that has ended."""
        return len(self.tokens) - self._last

    @property
    def live(self) -> bool:
        """Whether the solution can go on from here."""
        if not self._ends:
            return False
        _, stop, thinking = self._ends[-1]
        return stop in (Stop.STEP, Stop.THOUGHT) or (stop is Stop.CUT and thinking)

    def steps(self) -> tuple[Step, ...]:
        """The steps that have ended; without room for a single token one empty step that says why."""
        if self.room == 0:
            return (Step(-1, (), "", self._limit, thinking=self._thinking),)
        steps, start = [], 0
        for end, stop, thinking in self._ends:
            text = self._added(start, end)
            told = tuple(self.logprobs[start:end]) if self.request.logprobs else None
            sure = self.sureness.of(start, end)
            tokens = tuple(self.tokens[start:end])
            steps.append(Step(-1, tokens, text, stop, logprobs=told, thinking=thinking, confidence=sure))
            start = end
        return tuple(steps)

    def _doubt(self) -> None:
        """Note that it is given up; what has just ended goes no further either."""
        if self._last < len(self.tokens):
            self._end(Stop.DOUBT)
        else:
            self._ends[-1] = End(self._last, Stop.DOUBT, self._ends[-1].thinking)

    def _added(self, start: int, end: int) -> str:
        """The text that a step's tokens add, which may depend on tokens before them, but on none before a whole one."""
        before = range(start - 1, -1, -1)
        whole = next((i for i in before if self.tokens[i] in self.rules.boundaries.whole), 0)
        return self.rules.decode(self.tokens[whole:end])[len(self.rules.decode(self.tokens[whole:start])) :]

    def _end(self, stop: Stop, at: int | None = None) -> None:
        self._ends.append(End(len(self.tokens) if at is None else at, stop, self._thinking))
        self._content = False

    def _turn_over(self) -> None:
        """The model has ended its turn; where its thinking is steered, that ends no more than the thinking."""
        if self._thinking and self.request.thinking is not None:
            self._thought(len(self.tokens) - 1)
        else:
            self._end(Stop.END)

    def _thought(self, start: int) -> None:
        """What the thinking is ended with, from token `start` on, is a step of its own."""
        if start > self._last:
            self._end(Stop.STEP, start)
        self._end(Stop.THOUGHT)
        self._thinking = False

    def _marked(self, token: int) -> bool:
        """Whether the text now holds what ends the thinking."""
        assert self.rules.thinking is not None
        text = self.rules.thinking.text(token)
        self._tail = (self._tail + text)[-(len(self._mark) + len(text)) :]
        return self._mark in self._tail

    def _overlap(self, length: int) -> int:
        """Where in the tokens the last `length` characters begin."""
        assert self.rules.thinking is not None
        start = len(self.tokens)
        while start > self._last and length > 0:
            start -= 1
            length -= len(self.rules.thinking.text(self.tokens[start]))
        return start

    def _begun(self) -> int:
        """How many of the latest tokens are already of what ends the thinking."""
        opening = () if self.rules.thinking is None else self.rules.thinking.opening
        sizes = range(min(len(opening), len(self.tokens) - self._last), 0, -1)
        return next((size for size in sizes if tuple(self.tokens[-size:]) == opening[:size]), 0)

    def _cut(self) -> None:
        """Note that the room is used up, unless the last token ended what was asked for."""
        stop = self._ends[-1].stop if self._ends else Stop.STEP
        if self._last < len(self.tokens):
            if self._thinking and self._limit is Stop.CUT and (begun := self._begun()):
                self._thought(len(self.tokens) - begun)
            else:
                self._end(self._limit)
        elif stop is Stop.STEP and (self.request.max_steps is None or len(self._ends) < self.request.max_steps):
            self._ends[-1] = End(self._last, self._limit, self._ends[-1].thinking)

    @property
    def _last(self) -> int:
        """Where the last step ended."""
        return self._ends[-1].at if self._ends else 0

    @property
    def _mark(self) -> str:
        return "" if self.rules.thinking is None else self.rules.thinking.mark

    @property
    def _ends_at_box(self) -> bool:
        return self.rules.end_at_box and not self._thinking

    @property
    def _limit(self) -> Stop:
        """What the room ended with: the budget, the strategy's own limit, or that of the policy."""
        if self.request.capped and self.room == self.request.max_tokens:
            return Stop.BUDGET
        return Stop.CUT if self.room == self.request.limit else Stop.LENGTH


def rules(
    tokenizer: Any,
    generation_config: Any,
    end_at_box: bool,
    max_tokens: int,
    context: int,
    thinking: Thinking | None = None,
    step_tokens: int | None = None,
) -> Rules:
    """Read off a checkpoint; the tokens that end a turn are the tokenizer's and those of its generation config."""

    def decode(tokens: Sequence[int]) -> str:
        text: str = tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    found = getattr(generation_config, "eos_token_id", None)
    listed = found if isinstance(found, list) else [found]
    ends = frozenset(i for i in (*listed, tokenizer.eos_token_id) if i is not None)
    return Rules(Boundaries(tokenizer), ends, end_at_box, decode, max_tokens, context, thinking, step_tokens)
