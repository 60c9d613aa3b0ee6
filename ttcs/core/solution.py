"""What a search is made of: a problem, steps, trajectories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol, TypeVar


class Stop(StrEnum):
    """Why a step ended."""

    STEP = "step"  # at a step boundary: the solution can go on
    END = "end"  # the policy ended its turn: the solution is complete
    THOUGHT = "thought"  # the policy ended its thinking: the answer is next
    CUT = "cut"  # a limit of the strategy's own ran out
    LENGTH = "length"  # the token limit of the policy ran out, or the PRM reads no solution so long
    STEP_LENGTH = "step_length"  # the token limit of the policy on a single step ran out
    BUDGET = "budget"  # the budget of the run ran out
    DOUBT = "doubt"  # the policy was less sure of its tokens than the strategy wants


@dataclass(frozen=True, slots=True)
class Message:
    """A part of a conversation. role: "system", "user" or "assistant"."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One task. `answer` is the reference (None: unknown), `level` the annotated difficulty (1 = easiest).

    options: those of multiple choice, whose letters "A", "B", ... are the answers; the question lists them.
    instruction: what the policy alone is told behind the question, on how to answer it.
    before: the conversation that the question is the last of, which the policy alone is told; the system's messages
        first, then the user and the assistant in turns.
    """

    id: str
    question: str
    answer: str | None = None
    level: int | None = None
    family: str | None = None
    options: tuple[str, ...] = ()
    instruction: str | None = None
    before: tuple[Message, ...] = ()

    @property
    def asked(self) -> str:
        """What the policy reads."""
        return self.question if self.instruction is None else f"{self.question}\n\n{self.instruction}"

    @property
    def alone(self) -> Problem:
        """The same without what was said before."""
        return replace(self, before=()) if self.before else self


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure a policy was of what it wrote (Fu et al., 2025, section 2): of each token, minus the mean logarithm of
    the probabilities of the k likeliest ones in its place, as the model gives them before temperature and top_p.

    mean: over all tokens. Of the means over windows of tokens (None: nobody asked, or none is full) least: the least
    one; tail: the last one; bottom: the mean of the lowest tenth of all so far, at least of one.
    """

    mean: float
    least: float | None = None
    tail: float | None = None
    bottom: float | None = None

    def of(self, measure: str) -> float | None:
        """One of the four by its name. What is shorter than a window has its mean for all, as in the authors' code.

        None: what was recorded before there were tails and bottoms has the least window alone.
        """
        found: float | None = self.mean if self.least is None else getattr(self, measure)
        return found

    @property
    def values(self) -> tuple[float, *tuple[float | None, ...]]:
        """As records have it."""
        return (self.mean, self.least) if self.tail is None else (self.mean, self.least, self.tail, self.bottom)


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of a solution: the tokens are the truth, `text` is derived from them.

    `node` numbers the step within its search: two trajectories that share a prefix share the same `Step.node`s, which
    is how the search tree is stored once. `score` is the PRM's, in [0, 1]; None: it gave none, or blank.
    logprobs: the natural logarithm of each token's probability as the model gives it, before temperature and top_p;
    None: nobody asked; nan: the policy does not say.
    confidence: of its tokens, and of the windows that end in it (`bottom`: of all up to its end); None: nobody asked.
    thinking: it belongs to the thinking of a reasoning model, not to its answer. given: the strategy put it there, the
    policy has not sampled it.
    """

    node: int
    tokens: tuple[int, ...]
    text: str
    stop: Stop
    score: float | None = None
    logprobs: tuple[float, ...] | None = None
    thinking: bool = False
    given: bool = False
    confidence: Confidence | None = None

    @property
    def blank(self) -> bool:
        """Nothing but white space: never sent to a PRM, never a score of its own."""
        return not self.text.strip()


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A problem and the steps taken so far; forking shares the steps.

    subtree: which of a search's independent subtrees it belongs to (None: the search has none). Whole subtrees of a
    large run are valid smaller runs, which is what analysis takes a curve over n from.
    history: what was said before this solution, oldest first; empty unless it is a revision.
    """

    problem: Problem
    steps: tuple[Step, ...] = ()
    subtree: int | None = None
    history: tuple[Turn, ...] = ()

    @property
    def finished(self) -> bool:
        """True once the policy ended its turn, or a strategy that gave the answer so much room takes it as it stands.

        Only a finished trajectory can be an answer.
        """
        last = self.steps[-1] if self.steps else None
        return last is not None and (last.stop is Stop.END or (last.stop is Stop.CUT and not last.thinking))

    @property
    def live(self) -> bool:
        """True while the policy can go on from here."""
        if not self.steps:
            return True
        last = self.steps[-1]
        return last.stop in (Stop.STEP, Stop.THOUGHT) or (last.stop is Stop.CUT and last.thinking)

    @property
    def cut_off(self) -> bool:
        """True when it can neither go on nor be an answer, because a limit ran out."""
        return not (self.live or self.finished)

    @property
    def thought(self) -> bool:
        """True once the thinking has ended: what comes now is the answer."""
        return any(step.stop is Stop.THOUGHT for step in self.steps)

    @property
    def thinking_tokens(self) -> int:
        """Tokens of the thinking, without what ends it; what a strategy put there counts."""
        return sum(len(step.tokens) for step in self.steps if step.thinking and step.stop is not Stop.THOUGHT)

    @property
    def solution(self) -> str:
        """The text, without the thinking."""
        return "".join(step.text for step in self.steps if not step.thinking)

    @property
    def text(self) -> str:
        return "".join(step.text for step in self.steps)

    @property
    def tokens(self) -> tuple[int, ...]:
        """Token ids of the solution, prompt excluded."""
        return tuple(token for step in self.steps for token in step.tokens)

    @property
    def scores(self) -> tuple[float, ...]:
        """PRM scores of the steps that it reads and that have one, in order."""
        return tuple(step.score for step in self.judged if step.score is not None)

    @property
    def confidence(self) -> Confidence | None:
        """Over all steps that have one; None: none has."""
        return overall([(len(step.tokens), step.confidence) for step in self.steps if step.confidence is not None])

    @property
    def judged(self) -> tuple[Step, ...]:
        """The steps that a PRM reads: of a reasoning model those of its answer, or while it thinks, of its thinking."""
        return judged(self.steps)

    @property
    def scored(self) -> bool:
        """True when the PRM has read it: the last step that is not blank has a score, or there is none.

        A PRM scores the steps it is handed together; an outcome reward model only the last one.
        """
        last = next((step for step in reversed(self.judged) if not step.blank), None)
        return last is None or last.score is not None

    def extend(self, steps: Sequence[Step]) -> Trajectory:
        return Trajectory(self.problem, (*self.steps, *steps), self.subtree, self.history)

    def prefix(self, depth: int) -> Trajectory:
        """The first `depth` steps."""
        return Trajectory(self.problem, self.steps[:depth], self.subtree, self.history)


class Part(Protocol):
    """What a step and its record have in common."""

    @property
    def stop(self) -> Stop: ...
    @property
    def thinking(self) -> bool: ...
    @property
    def given(self) -> bool: ...


AnyPart = TypeVar("AnyPart", bound=Part)


def judged(steps: Sequence[AnyPart]) -> tuple[AnyPart, ...]:
    """Those of a trajectory that a PRM reads: what the policy wrote of the answer, or before that, its thinking."""
    answer = tuple([step for step in steps if not (step.thinking or step.given)])
    return answer or tuple([step for step in steps if step.thinking and step.stop != Stop.THOUGHT])


def overall(parts: Sequence[tuple[int, Confidence]]) -> Confidence | None:
    """The confidence of a whole from that of its parts, each with its tokens; None: there is none."""
    if not parts:
        return None
    mean = sum(tokens * part.mean for tokens, part in parts) / sum(tokens for tokens, _ in parts)
    least = [part.least for _, part in parts if part.least is not None]
    last = next((part for _, part in reversed(parts) if part.least is not None), Confidence(mean))
    return Confidence(mean, min(least, default=None), last.tail, last.bottom)


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier attempt at the problem, and what the user answered to it.

    request: None: what the policy was trained to be asked for a revision with.
    """

    attempt: Trajectory
    request: str | None = None
