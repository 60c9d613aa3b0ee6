"""What a search may ask for, and what its candidates are chosen by."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ttcs.core.solution import Confidence, Problem, Trajectory

# (the first trajectories of a request, continued; for each the group of its answer) -> whether they are enough.
Enough = Callable[[tuple[Trajectory, ...], tuple[int | None, ...]], bool]


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
    enough: the reply is the shortest beginning of the request, in its order, for which this holds; all of it where it
        never does. It is asked about one more of them at a time, as if they were sampled one after another. groups:
        equal answers have equal numbers, in order of first sight; None: no answer, or not finished.
    scored: with `enough`, the PRM reads every finished one before that is asked about it.
    seen: with `enough`, trajectories that are there already: their groups come before those of the new ones. It is
        asked about them alone first, with none of the new ones, which are not drawn where that is enough.
    confidence: the steps come with the policy's, of so many likeliest tokens (k).
    least: (threshold, window) of tokens: with `confidence`, the least window is told as well, and what falls below the
        threshold on a whole window of this request is ended there (`Stop.DOUBT`) and no answer.
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
    enough: Enough | None = None
    scored: bool = False
    seen: tuple[Trajectory, ...] = ()
    confidence: int | None = None
    least: tuple[float, int] | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """Have the PRM score every step that has no score yet (an outcome reward model: the last step).

    What a limit cut off comes back as it is, as nobody needs to know how good it was; but for lookahead's rollouts,
    which tell of where they began. A solution that is too long for the PRM comes back cut off, with `Stop.LENGTH`.
    """

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

    enough: they run one after another instead, and the reply is the candidates of the shortest beginning of them, in
    their order, for which this holds, as `Sample` has it; of all of them where it never does. It is asked when a search
    has ended, and no other is under way then.
    """

    searches: tuple[Search, ...]
    enough: Enough | None = None


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

    answer: a group id (None: no answer). score: the reduction. subtree, confidence: as of its trajectory.
    """

    answer: int | None
    score: float
    subtree: int | None = None
    confidence: Confidence | None = None


class Selection(Protocol):
    """Candidates -> index of the chosen one, None when no candidate has an answer. Ties: the first seen."""

    @property
    def reads_scores(self) -> bool: ...

    def __call__(self, candidates: Sequence[Candidate]) -> int | None: ...


class Stopping(Protocol):
    """Whether a vote has enough samples. drawn: those so far, in order; n: how many there may be at most."""

    @property
    def reads_scores(self) -> bool: ...

    def __call__(self, drawn: Sequence[Candidate], n: int) -> bool: ...
