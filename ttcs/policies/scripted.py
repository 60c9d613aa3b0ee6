"""A simulated policy over a reasoning tree whose every step is known to be right or wrong."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import accumulate
from statistics import NormalDist
from zlib import crc32

from ttcs.core import Continue, Continued, ModelSize, Problem, Step, Stop, Trajectory
from ttcs.core.queue import Queue
from ttcs.errors import UserError
from ttcs.policies.limits import check_step_tokens
from ttcs.policies.scripted_chain import ScriptedChain
from ttcs.policies.scripted_confidence import weighed
from ttcs.policies.scripted_thinking import ScriptedThinking, concluded, given

THINKING = ScriptedThinking()
SIZE = ModelSize("scripted", parameters=1_000_000, layers=4, hidden=64)


@dataclass(slots=True)
class ScriptedPolicy:
    """Writes "## Step 3: ok 51fa" while a solution is right and "err" from its first wrong step on.

    min_depth, max_depth: steps of a solution, uniform; the last one holds the boxed answer.
    accuracy: chance that the next step is right, by `Problem.level` from 1 (None: the first).
    spread: standard deviation of what a problem adds to the logit of that chance, so that problems of a level differ.
    misconception: chance that a wrong solution ends in the problem's one popular wrong answer: where these outnumber
        the right ones, no majority helps.
    fix, flip: chance that a revision of a wrong attempt is right, and that one of a right attempt is wrong (38 % in
        Snell et al., 2024, section 6.1).
    thinking: how it thinks, where a strategy steers its thinking; left alone it does not.
    chain: what it writes in the place of all this, where it neither thinks nor revises.
    tokens_per_step: mean; uniform between half and one and a half of it.
    tail: share of that mean which is drawn from an exponential distribution instead: the steps of real models have long
        tails (at 0.9 the longest of 256 is 5.6 times the mean).
    capacity: requests worked on at once. max_tokens: longest solution. step_tokens: longest step of a solution that is
        written step by step (None: any).
    pace: tokens a request decodes per engine step, so that long requests end later (None: all at once).
    shuffle: hand results back in a random order. seed: of the simulated model's own knowledge, not of the run.
    """

    min_depth: int = 3
    max_depth: int = 6
    accuracy: Sequence[float] = (0.95, 0.9, 0.85, 0.75, 0.6)
    spread: float = 0.0
    misconception: float = 0.3
    fix: float = 0.3
    flip: float = 0.38
    thinking: ScriptedThinking = THINKING
    chain: ScriptedChain | None = None
    tokens_per_step: int = 20
    tail: float = 0.0
    capacity: int = 64
    max_tokens: int = 2048
    step_tokens: int | None = None
    pace: int | None = None
    shuffle: bool = False
    seed: int = 0
    size: ModelSize = SIZE
    cache_tokens: int | None = None
    _queue: Queue[Continue] = field(init=False, default_factory=Queue)
    _active: list[_Decoding] = field(init=False, default_factory=list)
    _order: random.Random = field(init=False, default_factory=lambda: random.Random(0))
    _draw: random.Random = field(init=False, default_factory=random.Random)  # seeded anew for every request

    def __post_init__(self) -> None:
        check_step_tokens(self.step_tokens)

    def add(self, ticket: int, request: Continue) -> None:
        self._queue.add(ticket, request)

    def cancel(self, ticket: int) -> Continued | None:
        self._queue.cancel(ticket)
        given_up = next((decoding for decoding in self._active if decoding.ticket == ticket), None)
        if given_up is None:
            return None
        self._active.remove(given_up)
        result = given_up.result
        return so_far(result, sum(len(step.tokens) for step in result.steps) - given_up.left)

    def wake(self) -> None:
        """It waits for nobody."""

    def append(self, text: str | None, cut: bool) -> tuple[Step, ...]:
        return given(text, cut)

    def reset(self) -> None:
        """Nothing is left behind."""

    def close(self) -> None:
        """Nothing works for it."""

    def step(self) -> list[tuple[int, Continued]]:
        while self._queue and len(self._active) < self.capacity:
            ticket, request = self._queue.pop()
            result = self.continued(request)
            self._active.append(_Decoding(ticket, result, sum(len(step.tokens) for step in result.steps)))
        for decoding in self._active:
            decoding.left -= decoding.left if self.pace is None else self.pace
        done = [(decoding.ticket, decoding.result) for decoding in self._active if decoding.left <= 0]
        self._active = [decoding for decoding in self._active if decoding.left > 0]
        if self.shuffle:
            self._order.shuffle(done)
        return done

    def continued(self, request: Continue) -> Continued:
        """What the request comes to; what it was given to continue is cached, a bare problem is not."""
        trajectory = request.trajectory
        asked = trajectory.problem
        problem = words(asked.question) + sum(words(one.content) for one in asked.before)
        own = sum([len(step.tokens) for step in trajectory.steps])
        prefix = problem + sum([len(turn.attempt.tokens) for turn in trajectory.history]) + own
        steps = self._steps(request, self.max_tokens - own)
        if request.logprobs:
            steps = [replace(step, logprobs=(math.nan,) * len(step.tokens)) for step in steps]
        if request.confidence is not None:
            steps = weighed(steps, request.least)
        return Continued(tuple(steps), prefix, prefix - 1 if trajectory.steps else 0)

    def _steps(self, request: Continue, room: int) -> list[Step]:
        """room: tokens until the policy's own limit; a smaller limit of the request's is the budget's if it says so."""
        cut = Stop.LENGTH
        if request.limit is not None:
            room, cut = self._promised(request, room), Stop.CUT
        if request.max_tokens is not None and request.max_tokens < room:
            room, cut = request.max_tokens, Stop.BUDGET if request.capped else Stop.LENGTH
        trajectory, greedy, draw = request.trajectory, request.temperature == 0, self._draw
        problem = trajectory.problem
        chain = None if request.thinking is not None or trajectory.thought or trajectory.history else self.chain
        accuracy = self._accuracy(problem) if chain is None else 1.0
        if not greedy:
            draw.seed(request.seed ^ self.seed)
        text = crc32(f"{problem.id}\0{trajectory.text}".encode(), self.seed) if greedy else 0
        right = is_right(trajectory)
        conclusion = concluded(trajectory) if trajectory.thought else None
        revised = self._revised(trajectory) if trajectory.history else None
        steps: list[Step] = []
        while room > 0 and (request.max_steps is None or len(steps) < request.max_steps):
            if greedy:
                draw.seed(text)
            if request.thinking is not None:
                step = self.thinking.thought(draw, trajectory, steps, accuracy, request.suppress and not steps)
            else:
                if chain is None:
                    depth = self.max_depth if trajectory.thought else len(trajectory.steps) + len(steps) + 1
                    right = right and (draw.random() < accuracy if revised is None else revised)
                    step = self._write(draw, problem, depth, right if conclusion is None else conclusion)
                else:
                    written = (*trajectory.steps, *steps)
                    step = chain.step(None if greedy else draw, problem, written, self.tokens_per_step, self.seed)
                if self.step_tokens is not None and request.max_steps is not None:
                    step = _cut(step, self.step_tokens, Stop.STEP_LENGTH, complete=True)
            complete = len(steps) + 1 == request.max_steps and cut is Stop.BUDGET
            steps.append(_cut(step, room, cut, complete))
            room -= len(step.tokens)
            if step.stop in (Stop.END, Stop.THOUGHT, Stop.STEP_LENGTH):
                break
            text = crc32(step.text.encode(), text) if greedy else 0
        return steps

    def _promised(self, request: Continue, room: int) -> int:
        """What the strategy's own limit leaves. UserError where the policy's is the smaller one."""
        limit = request.limit or 0
        wanted = limit
        if request.thinking is not None:
            wanted += (request.answer or 0) + sum(len(step.tokens) for step in given(None, True))
        if wanted > room:
            left = f"policy.max_tokens={self.max_tokens} leaves {room}"
            raise UserError(f"the strategy may need {wanted} tokens more, but {left}")
        return limit

    def _revised(self, trajectory: Trajectory) -> bool:
        """Whether a revision comes out right: by its first step, so that it is the same however it is asked for."""
        before = is_right(trajectory.history[-1].attempt)
        if trajectory.steps:
            return is_right(trajectory)
        return self._draw.random() < (1 - self.flip if before else self.fix)

    def _accuracy(self, problem: Problem) -> float:
        accuracy = self.accuracy[(problem.level or 1) - 1]
        return _shifted(accuracy, self.spread, problem.id, self.seed) if self.spread else accuracy

    def _write(self, draw: random.Random, problem: Problem, depth: int, right: bool) -> Step:
        last = depth >= self.max_depth or (depth >= self.min_depth and draw.random() < 1 / (self.max_depth - depth + 1))
        tag = int(draw.random() * 65536)
        length = self._length(draw)
        text = f"## Step {depth}: {'ok' if right else 'err'} {tag:04x}"
        text += f" \\boxed{{{self._answer(draw, problem, right)}}}" if last else "\n\n"
        return Step(-1, (int(right), tag, *range(length))[:length], text, Stop.END if last else Stop.STEP)

    def _length(self, draw: random.Random) -> int:
        length = 0.5 + draw.random()
        if self.tail:
            length += self.tail * (-math.log(1 - draw.random()) - length)
        return max(1, int(self.tokens_per_step * length))

    def _answer(self, draw: random.Random, problem: Problem, right: bool) -> str:
        """Wrong answers differ from the reference for sure: they are prefixed by x."""
        if right:
            return problem.answer or "0"
        return "x0" if draw.random() < self.misconception else f"x{int(draw.random() * 1000) + 1}"


@dataclass(slots=True)
class _Decoding:
    ticket: int
    result: Continued
    left: int  # tokens


def so_far(result: Continued, made: int) -> Continued:
    """What a request had come to when it had so many tokens of what it comes to."""
    ends = accumulate(len(step.tokens) for step in result.steps)
    steps = tuple([step for step, end in zip(result.steps, ends, strict=True) if end <= made])
    return replace(result, steps=steps, unseen=made - sum(len(step.tokens) for step in steps))


def is_right(trajectory: Trajectory) -> bool:
    """Whether no step of a scripted solution is wrong so far."""
    return not any(" err " in step.text for step in trajectory.steps)


@lru_cache(maxsize=4096)
def words(question: str) -> int:
    """The length of a question in the tokens of the scripted pair."""
    return len(question.split())


@lru_cache(maxsize=4096)
def _shifted(accuracy: float, spread: float, problem: str, seed: int) -> float:
    """The accuracy with a normal number of the problem's own, times `spread`, added to its logit."""
    if accuracy in (0, 1):
        return accuracy
    normal = NormalDist().inv_cdf((crc32(problem.encode(), seed) + 0.5) / 2**32)
    return 1 / (1 + (1 - accuracy) / accuracy * math.exp(-spread * normal))


def _cut(step: Step, room: int, cut: Stop, complete: bool) -> Step:
    """The step as far as `room` tokens go. complete: it may end exactly there, as it is all that was asked for."""
    length = len(step.tokens)
    if step.stop is Stop.THOUGHT:
        return replace(step, tokens=step.tokens[:room])
    if length < room or (length == room and (complete or step.stop is Stop.END)):
        return step
    text = step.text[: len(step.text) * room // length]
    return Step(-1, step.tokens[:room], text, cut, thinking=step.thinking)
