"""Soft step labels by Monte-Carlo rollouts (Math-Shepherd, Wang et al., 2024; Snell et al., 2024, appendix D)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ttcs import answers
from ttcs.core import Problem, Sample, Search, Trajectory
from ttcs.search.execution import Outcome

Prefix = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MonteCarlo:
    """Samples solutions and continues each distinct prefix of theirs `rollouts` times to the end.

    Samples without an answer that can be read are dropped: nothing is rolled out from where they alone have been.
    A share `hot` of the problems is sampled at `hot_temperature`: a verifier that never saw an odd or malformed step
    is fooled by one. The rollouts themselves are always at the policy's own temperature.
    """

    samples: int
    rollouts: int
    hot: float = 0.0
    hot_temperature: float = 1.0

    def search(self, problem: Problem) -> Search:
        temperature = self.hot_temperature if self.is_hot(problem) else None
        solutions = yield Sample((Trajectory(problem),) * self.samples, temperature=temperature)
        starts = tuple(prefix for prefix in distinct_prefixes(solutions) for _ in range(self.rollouts))
        return (*solutions, *(yield Sample(starts))) if starts else solutions

    def is_hot(self, problem: Problem) -> bool:
        spread = hashlib.blake2b(problem.id.encode(), digest_size=4).digest()
        return int.from_bytes(spread) < self.hot * 2**32

    def depths(self, problem: Problem, candidates: Sequence[Trajectory]) -> list[int]:
        """From how many steps on each candidate of `search` is a fair continuation: one of the policy as it is used.

        A rollout is fair from where it was started. A sample is from the first step on, but at another temperature
        only at its very end.
        """
        samples = candidates[: self.samples]
        rollouts = [len(prefix.steps) for prefix in distinct_prefixes(samples) for _ in range(self.rollouts)]
        return [len(s.steps) if self.is_hot(problem) else 1 for s in samples] + rollouts


def distinct_prefixes(solutions: Sequence[Trajectory]) -> list[Trajectory]:
    """Every prefix from which a rollout is due: of a sample that is kept, at least a step, at most all but the last."""
    kept = [solution for solution in solutions if answer(solution) is not None]
    found = {(p := solution.prefix(d)).tokens: p for solution in kept for d in range(1, len(solution.steps))}
    return list(found.values())


def labelled(outcome: Outcome, search: MonteCarlo) -> Iterator[dict[str, Any]]:
    """The samples that are kept, each step labelled with the share of its continuations that end in the right answer.

    Every trajectory that runs through a prefix counts where it is a fair continuation of it: a sample itself too, and
    one without an answer as a wrong one. The last step's label is whether the sample's answer is right. Identical
    samples are kept once.
    """
    reference = outcome.problem.answer or ""
    right = [_right(trajectory, reference) for trajectory in outcome.candidates]
    values: dict[Prefix, list[bool]] = {}
    depths = search.depths(outcome.problem, outcome.candidates)
    for trajectory, start, good in zip(outcome.candidates, depths, right, strict=True):
        for depth in range(start, len(trajectory.steps) + 1):
            values.setdefault(trajectory.prefix(depth).tokens, []).append(good)
    seen: set[Prefix] = set()
    for solution, good in zip(outcome.candidates[: search.samples], right, strict=False):
        if solution.tokens in seen or answer(solution) is None:
            continue
        seen.add(solution.tokens)
        steps = [
            (step.text, values[solution.prefix(d).tokens]) for d, step in enumerate(solution.steps, 1) if not step.blank
        ]
        yield {
            "problem_id": outcome.problem.id,
            "question": outcome.problem.question,
            "correct": good,
            "steps": [text for text, _ in steps],
            "labels": [round(sum(ends) / len(ends), 4) for _, ends in steps],
        }


def answer(solution: Trajectory) -> str | None:
    """None: it is not finished, or has no answer that can be read."""
    return answers.extract(solution.solution) if solution.finished else None


def _right(trajectory: Trajectory, reference: str) -> bool:
    found = answer(trajectory)
    return found is not None and answers.equivalent(found, reference)
