"""What strategies that steer the thinking of a reasoning model share: to let it think, and to make it answer."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

from ttcs.core import Append, Problem, Request, Sample, Search, Stop, Trajectory

Runs = list[Trajectory]
Thinking = Generator[Request, tuple[Trajectory, ...], Runs]


def begun(problem: Problem, n: int, instruction: str | None = None) -> Runs:
    """n runs side by side; each is a subtree, so that fewer of them are a valid smaller run."""
    return [Trajectory(replace(problem, instruction=instruction), subtree=i) for i in range(n)]


def think(
    runs: Sequence[Trajectory],
    most: int,
    answer: int,
    text: str = "",
    suppressed: Callable[[int, int], bool] | None = None,
) -> Thinking:
    """The runs with their thinking: each ends itself, or has `most` tokens of it and is cut off.

    answer: tokens kept for the answer. suppressed: (how often that has been done, tokens of thinking) -> whether the
    end of a run's thinking is taken off again and `text` put in its place, as long as there is room behind it. Without
    a text the policy has to go on with a token that does not end it.
    """
    found = list(runs)
    times = [0] * len(found)
    going = list(range(len(found)))
    suppress, stuck = False, set[int]()  # a server may not know how to suppress
    while going:
        sampled = yield Sample(tuple(found[i] for i in going), thinking=most, answer=answer, suppress=suppress)
        for i, run in zip(going, sampled, strict=True):
            if suppress and run.thinking_tokens == found[i].thinking_tokens:
                stuck.add(i)
            found[i] = run
        suppress = not text
        ends = [i for i in going if ended(found[i]) and i not in stuck]
        going = [i for i in ends if suppressed and suppressed(times[i], found[i].thinking_tokens)]
        longer = yield Append(tuple(without_end(found[i]) for i in going), text)
        roomy = [(i, run) for i, run in zip(going, longer, strict=True) if run.thinking_tokens < most]
        going = [i for i, _ in roomy]
        for i, run in roomy:
            found[i] = run
            times[i] += 1
    return found


def conclude(runs: Sequence[Trajectory], total: int | None) -> Thinking:
    """The runs with their answers; one whose thinking was cut off is made to begin it.

    total: tokens of thinking and answer together at most, so that a short thinking leaves its room to the answer, and
    an answer that is longer is taken as it stands. None: no limit but the policy's.
    """
    natural = [i for i, run in enumerate(runs) if ended(run)]
    cut = [i for i, run in enumerate(runs) if not ended(run) and run.live]
    closed = (
        *(yield Append(tuple(without_end(runs[i]) for i in natural))),
        *(yield Append(tuple(runs[i] for i in cut), cut=True)),
    )
    answered = yield Sample(closed, total=total)
    found = dict(zip((*natural, *cut), answered, strict=True))
    return [found.get(i, run) for i, run in enumerate(runs)]


def instructed(problem: Problem, n: int, instruction: str, most: int, answer: int, forced: bool) -> Search:
    """n runs of a policy that is told how to think. forced: whoever thinks too long is cut off and made to answer."""
    runs = begun(problem, n, instruction)
    if not forced:
        return told((yield Sample(tuple(runs))), problem)
    thought = yield from think(runs, most, answer)
    return told((yield from conclude(thought, most + answer)), problem)


def ended(run: Trajectory) -> bool:
    """Whether the policy has ended the thinking by itself."""
    return bool(run.steps) and run.steps[-1].stop is Stop.THOUGHT


def without_end(run: Trajectory) -> Trajectory:
    """The thinking without what ends it."""
    return run.prefix(len(run.steps) - 1)


def told(runs: Sequence[Trajectory], problem: Problem) -> tuple[Trajectory, ...]:
    """The runs as candidates for the problem itself, whatever else the policy was told of it."""
    return tuple(replace(run, problem=problem) for run in runs)
