"""G5: what continuous searches, incremental scores and an early end are worth, against the way of search-and-learn.

That way, with the same policy engine (and its prefix cache: there it is vLLM, which has one) and the same forward pass
of the same PRM: searches advance in lock-step (beam search one problem at a time, DVTS 25); the PRM has no cache and
reads every solution again from its first token at every step, 8 to a padded batch; beam search fills up to n beams
whenever some are complete, and goes on until all are complete at once or 40 rounds are over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence

from benchmarks import lockstep, zoo
from benchmarks.cases import Case, long, long_large, short
from benchmarks.harness import Effort, Limit, Result, compare, interleaved, side
from ttcs.config.components import build
from ttcs.core import PRM, Judge, Judged, Problem, Reduction, Sample, Score, Search, Strategy, Trajectory
from ttcs.models.load import load_tokenizer, scorer_size
from ttcs.search.execution import Outcome

GOALS = {"beam_search": Limit(10.0, least=True), "dvts": Limit(4.0, least=True)}
GROUPS = {"beam_search": 1, "dvts": 25}
BATCH = 8


class RescoringPRM:
    """A PRM without any memory: each solution is read whole, however much of it was read before.

    Padding on the right needs no mask: what comes later is not attended to.
    """

    def __init__(self, config: Any, batch_size: int) -> None:
        model, form = config.prm.model, build(config.prm, "format")
        tokenizer = load_tokenizer(model)
        self._head, self._reader = form.head, form.reader(tokenizer, model)
        self._scorer = self._head.load(model, tokenizer, "auto", "auto")
        self.size = scorer_size(model, self._scorer.model, self._scorer.parameters)
        self.capacity = batch_size
        self.cache_tokens = None  # it has none
        self._queue: deque[tuple[int, Judge]] = deque()

    def add(self, ticket: int, request: Judge) -> None:
        self._queue.append((ticket, request))

    def reset(self) -> None:
        """There is nothing to forget."""

    @torch.inference_mode()
    def step(self) -> list[tuple[int, Judged]]:
        batch = [self._queue.popleft() for _ in range(min(self.capacity, len(self._queue)))]
        prefixes = [self._prefixes(judge.trajectory) for _, judge in batch]
        whole = [torch.tensor(found[-1]) for found in prefixes]
        padded = pad_sequence(whole, batch_first=True).to(self._scorer.model.device)
        hidden = self._scorer.model.base_model(input_ids=padded, use_cache=False).last_hidden_state
        return [
            (ticket, self._judged(judge.trajectory, [len(prefix) for prefix in read], hidden[row]))
            for row, ((ticket, judge), read) in enumerate(zip(batch, prefixes, strict=True))
        ]

    def _prefixes(self, trajectory: Trajectory) -> list[Sequence[int]]:
        found: list[Sequence[int]] = self._reader(trajectory.problem, [s.text for s in trajectory.steps if not s.blank])
        return found

    def _judged(self, trajectory: Trajectory, ends: Sequence[int], hidden: torch.Tensor) -> Judged:
        logits = self._scorer.head(hidden[[end - 1 for end in ends]]).float()
        scores = iter(self._head.scores(logits).tolist())
        return Judged(tuple(None if step.blank else next(scores) for step in trajectory.steps), ends[-1], 0)


@dataclass(frozen=True, slots=True)
class FullBeamSearch:
    """Beam search that never gives up a slot: complete beams are replaced by more branches of the others.

    Of the complete ones the first n are the candidates. Fields as in `BeamSearch`.
    """

    n: int
    width: int
    max_steps: int
    rank: Reduction

    def search(self, problem: Problem) -> Search:
        complete: list[Trajectory] = []
        beams = [Trajectory(problem)]
        for rounds in range(1, self.max_steps + 1):
            branches = ceil(self.n / len(beams))
            wanted = [beam for beam in beams for _ in range(branches)][: self.n]
            sampled = yield Sample(tuple(wanted), max_steps=1 if rounds < self.max_steps else None)
            children = yield Score(sampled)
            complete += [child for child in children if not child.live]
            live = sorted((child for child in children if child.live), key=lambda child: -self.rank(child.scores))
            beams = live[: self.n // self.width]
            if not beams:
                break
        return tuple(complete[: self.n])


def elsewhere(name: str, strategy: Strategy, case: Case, prm: PRM) -> list[Outcome]:
    case.policy.reset()
    return lockstep.run(strategy, zoo.selection(), case.problems, case.policy, prm, seed=0, group=GROUPS[name])


def measure(effort: Effort) -> Iterator[Result]:
    """Beam search to the end takes so long that it is measured at a quarter of n."""
    few, one = max(1, effort.problems // 4), 1
    beams, trees = "beam_search", "dvts"
    for name, case in (
        (beams, short(few, effort.n)),
        (trees, short(few, effort.n)),
        (beams, long(one, effort.n // 4)),
        (trees, long(few, effort.n)),
        (trees, long_large(one, effort.n)),
    ):
        yield from compared(name, case, effort.runs)


def compared(name: str, case: Case, runs: int) -> Iterator[Result]:
    ours: Any = zoo.strategy(name, case.n)
    prm = RescoringPRM(case.config, BATCH)
    ways = {
        "here": partial(zoo.search, ours, case.problems, case.policy, case.prm),
        "elsewhere": partial(elsewhere, name, ours, case, prm),
    }
    if name == "beam_search":
        theirs = FullBeamSearch(ours.n, ours.width, ours.max_steps, ours.rank)
        ways["elsewhere, to the end"] = partial(elsewhere, name, theirs, case, prm)
    timed = interleaved(ways, runs)
    sides = {way: side(timed[way], zoo.counters(timed[way][0].value)) for way in ways}
    *others, last = [way for way in ways if way != "here"]
    for way in (last, *others):
        wall, cpu = compare(timed[way], timed["here"])
        goal = GOALS[name] if way == last else None
        yield Result("G5", f"{name}, {case}: {way} / here", wall, goal, cpu, {w: sides[w] for w in (way, "here")})
