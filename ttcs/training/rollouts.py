"""Soft step labels by Monte-Carlo rollouts, to train a PRM on (Math-Shepherd; Snell et al., 2024, appendix D)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import track

from ttcs import answers
from ttcs.core import Policy, Problem, Sample, Search, Trajectory
from ttcs.execution import Outcome
from ttcs.ledger import Budget
from ttcs.scheduler import run
from ttcs.selection import Majority
from ttcs.zoo.generator import Split, exercises

Prefix = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MonteCarlo:
    """Samples solutions and continues each distinct prefix of theirs `rollouts` times to the end.

    A share `hot` of the problems is sampled at `hot_temperature`: a verifier that never saw an odd or malformed step
    is fooled by one. The rollouts themselves are always at the policy's own temperature.
    """

    samples: int
    rollouts: int
    hot: float
    hot_temperature: float

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
    """Every prefix from which a rollout is due: at least a step, at most all but the last."""
    found = {(p := solution.prefix(d)).tokens: p for solution in solutions for d in range(1, len(solution.steps))}
    return list(found.values())


def labelled(outcome: Outcome, search: MonteCarlo) -> Iterator[dict[str, Any]]:
    """The sampled solutions, each step labelled with the share of its continuations that end in the right answer.

    Every trajectory that runs through a prefix counts where it is a fair continuation of it: the sample itself too. The
    last step's label is whether the sample's answer is right. Identical samples are kept once. Not
    finished or without answer is wrong.
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
        if solution.tokens in seen:
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


def _right(trajectory: Trajectory, reference: str) -> bool:
    answer = answers.extract(trajectory.text) if trajectory.finished else None
    return answer is not None and answers.equivalent(answer, reference)


@dataclass(frozen=True, slots=True)
class Rollouts:
    """Stage: label solutions to `problems` fresh train exercises; a JSONL line a solution.

    shard, shards: this process takes every shards-th problem and writes its own file `out`; a problem that is already
    there is not done again.
    """

    out: str
    policy: Policy
    search: MonteCarlo
    seed: int
    problems: int
    shard: int
    shards: int

    def run(self) -> None:
        path = Path(self.out)
        path.parent.mkdir(parents=True, exist_ok=True)
        done = _whole_problems(path)
        todo = [problem for problem in self._problems() if problem.id not in done]
        outcomes = run(self.search, Majority(), todo, self.policy, _no_prm, Budget(), self.seed)
        with path.open("a") as file:
            for outcome in track(outcomes, total=len(todo), description="rollouts"):
                lines = [json.dumps(line) + "\n" for line in labelled(outcome, self.search)]
                file.write("".join(lines) + json.dumps({"done": outcome.problem.id}) + "\n")
                file.flush()

    def _problems(self) -> Iterator[Problem]:
        stream = exercises(f"{self.seed}/rollouts", Split.TRAIN)
        seen: set[str] = set()
        while len(seen) < self.problems:
            exercise = next(stream)
            if exercise.question not in seen and len(seen) % self.shards == self.shard:
                yield exercise.problem(f"rollout-{len(seen)}")
            seen.add(exercise.question)


def _whole_problems(path: Path) -> set[str]:
    """Problems whose closing line is there; what a kill left of another one is cut off the file."""
    if not path.exists():
        return set()
    done, kept, pending = set(), [], []
    for line in path.read_text().splitlines(keepends=True):
        pending.append(line)
        if line.startswith('{"done"') and line.endswith("}\n"):
            done.add(json.loads(line)["done"])
            kept += pending
            pending = []
    if pending:
        whole = path.with_suffix(".tmp")
        whole.write_text("".join(kept))
        whole.replace(path)
    return done


def _no_prm() -> Any:
    raise AssertionError("rollouts never score")
