"""The nouns of test-time compute: problems, steps, trajectories, and the requests a search may yield.

A strategy is a generator, one per problem. It yields `Sample` (to the policy), `Score` (to the PRM) or `Append` (text
of its own) and is sent back one trajectory for each it named, in the same order; or `Parallel`, searches that run side
by side, and is sent back their candidates. It returns its own candidates. Everything else (batching, seeds, budgets,
ledgers, records) belongs to the scheduler.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar


class Stop(StrEnum):
    """Why a step ended."""

    STEP = "step"  # at a step boundary: the solution can go on
    END = "end"  # the policy ended its turn: the solution is complete
    THOUGHT = "thought"  # the policy ended its thinking: the answer is next
    CUT = "cut"  # a limit of the strategy's own ran out
    LENGTH = "length"  # the token limit of the policy ran out
    BUDGET = "budget"  # the budget of the run ran out


@dataclass(frozen=True, slots=True)
class Problem:
    """One task. `answer` is the reference (None: unknown), `level` the annotated difficulty (1 = easiest).

    options: those of multiple choice, whose letters "A", "B", ... are the answers; the question lists them.
    instruction: what the policy alone is told behind the question, on how to answer it.
    """

    id: str
    question: str
    answer: str | None = None
    level: int | None = None
    family: str | None = None
    options: tuple[str, ...] = ()
    instruction: str | None = None

    @property
    def asked(self) -> str:
        """What the policy reads."""
        return self.question if self.instruction is None else f"{self.question}\n\n{self.instruction}"


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of a solution: the tokens are the truth, `text` is derived from them.

    `node` numbers the step within its search: two trajectories that share a prefix share the same `Step.node`s, which
    is how the search tree is stored once. `score` is the PRM's, in [0, 1]; None: it gave none, or blank.
    logprobs: the natural logarithm of each token's probability as the model gives it, before temperature and top_p;
    None: nobody asked; nan: the policy does not say.
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


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier attempt at the problem, and what the user answered to it.

    request: None: what the policy was trained to be asked for a revision with.
    """

    attempt: Trajectory
    request: str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Continue each trajectory once; name one several times for several continuations.

    max_steps: steps to add at most (None: until the solution ends).
    temperature: None means the policy's own; 0 is greedy.
    lookahead: the tokens are spent on an estimate or a comment and charged as such, not on a candidate.
    logprobs: the steps come with those of their tokens.
    thinking: go no further than the end of the thinking, and no further than so many tokens of it in all, those that
        are there already included. What the policy writes to end it is a step of its own, which stops with
        `Stop.THOUGHT`; where the tokens run out it is `Stop.CUT`.
    answer: named together with `thinking`, tokens to be kept for the answer: UserError where the policy's limits do not
        leave room for both.
    total: tokens of thinking and answer together at most, after which the answer is taken as it stands (`Stop.CUT`).
    suppress: the next token is none that begins the end of the thinking, or ends the turn.
    """

    trajectories: tuple[Trajectory, ...]
    max_steps: int | None = None
    temperature: float | None = None
    lookahead: bool = False
    logprobs: bool = False
    thinking: int | None = None
    answer: int | None = None
    total: int | None = None
    suppress: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """Have the PRM score every step that has no score yet (an outcome reward model: the last step)."""

    trajectories: tuple[Trajectory, ...]


@dataclass(frozen=True, slots=True)
class Append:
    """Put text behind the thinking of each trajectory as if the policy had written it.

    text: None ends the thinking instead. cut: the policy had not come to that, so its answer is begun for it. UserError
    where the policy does not think.
    """

    trajectories: tuple[Trajectory, ...]
    text: str | None = None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Parallel:
    """Run searches side by side, none of them waiting for another; the reply is their candidates, one search after the
    other in the order given.

    Each may do so in its turn. Each has seeds of its own and learns no score from another until all have ended, so that
    what one comes to does not depend on how far the others are: what they begin with is best scored before. Where the
    budget has a limit they advance together, a request of each at a time, in the order given: what one may still spend
    depends on what the others have spent.
    """

    searches: tuple[Search, ...]


Request = Sample | Score | Append | Parallel
Search = Generator[Request, tuple[Trajectory, ...], tuple[Trajectory, ...]]


class Strategy(Protocol):
    """A search: its hyperparameters are its fields. `search` yields requests and returns the candidates."""

    def search(self, problem: Problem) -> Search: ...


class Reduction(Protocol):
    """Step scores -> one number; a trajectory without scores is worth -inf."""

    def __call__(self, scores: Sequence[float]) -> float: ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """A finished trajectory as a selection sees it.

    answer: a group id (None: no answer). score: the reduction. subtree: as of its trajectory.
    """

    answer: int | None
    score: float
    subtree: int | None = None


class Selection(Protocol):
    """Candidates -> index of the chosen one, None when no candidate has an answer. Ties: the first seen."""

    @property
    def reads_scores(self) -> bool: ...

    def __call__(self, candidates: Sequence[Candidate]) -> int | None: ...


@dataclass(frozen=True, slots=True)
class ModelSize:
    """What the FLOPs of a forward pass are counted from.

    parameters: weights that multiply activations (the input embedding table does not, the output head does).
    """

    name: str
    parameters: int
    layers: int
    hidden: int


@dataclass(frozen=True, slots=True)
class Continue:
    """One request to a policy: continue `trajectory` by at most `max_steps` steps and `max_tokens` tokens.

    `seed` alone decides the randomness, so the result does not depend on what else is in the batch.
    `capped`: `max_tokens` comes from the budget of the run, so running out of it is `Stop.BUDGET`.
    thinking, answer, total, suppress: see `Sample`.
    order: the number of its problem in the order of arrival. The smallest is served first; no result depends on it.
    """

    trajectory: Trajectory
    max_steps: int | None
    max_tokens: int | None
    temperature: float | None
    seed: int
    capped: bool = False
    logprobs: bool = False
    thinking: int | None = None
    answer: int | None = None
    total: int | None = None
    suppress: bool = False
    order: int = 0

    @property
    def limit(self) -> int | None:
        """Tokens that the strategy wants at most; None: as many as there may be."""
        most = self.total if self.thinking is None else self.thinking
        return None if most is None else max(0, most - self.trajectory.thinking_tokens)


@dataclass(frozen=True, slots=True)
class Continued:
    """Result of a `Continue`. `steps` carry node = -1 until the scheduler numbers them.

    prompt_tokens: tokens of problem and prefix; cached_tokens: how many of them were not computed anew.
    """

    steps: tuple[Step, ...]
    prompt_tokens: int
    cached_tokens: int


@dataclass(frozen=True, slots=True)
class Judge:
    """One request to a PRM: score the steps of `trajectory` that are not blank and have no score.

    order: as a `Continue`'s.
    """

    trajectory: Trajectory
    order: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """Result of a `Judge`: a score per step; tokens read, and how many of them came from the cache.

    None: a blank step, or one that this PRM gives no score (an outcome reward model scores the last one only).
    """

    scores: tuple[float | None, ...]
    tokens: int
    cached_tokens: int


class Policy(Protocol):
    """A language model as an engine: add requests at any time, `step` does some work and returns what finished."""

    size: ModelSize
    capacity: int  # requests it can work on at once
    max_tokens: int  # longest solution, in tokens
    cache_tokens: int | None  # whose keys and values it holds; None: it does not say

    def add(self, ticket: int, request: Continue) -> None: ...

    def step(self) -> list[tuple[int, Continued]]: ...

    def append(self, text: str | None, cut: bool) -> tuple[Step, ...]:
        """The steps of an `Append`, with node = -1."""
        ...

    def reset(self) -> None:
        """Forget what earlier runs left in caches, so that a run's costs are its own."""
        ...


class PRM(Protocol):
    """A process reward model as an engine."""

    size: ModelSize
    capacity: int
    cache_tokens: int | None

    def add(self, ticket: int, request: Judge) -> None: ...

    def step(self) -> list[tuple[int, Judged]]: ...

    def reset(self) -> None:
        """As a policy's."""
        ...
