"""Writes files of solutions whose steps are labelled by Monte-Carlo rollouts, to train PRMs on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.progress import track

from ttcs.choice.selection import Majority
from ttcs.config.components import build
from ttcs.config.identity import identity, portable
from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.search.budget import Budget
from ttcs.search.execution import Outcome
from ttcs.search.scheduler import run
from ttcs.training.monte_carlo import MonteCarlo, answer, labelled
from ttcs.training.rollout_file import Closing, RolloutFile, total

DECISIVE = "dataset", "policy", "search", "seed", "shard", "shards"  # what decides on the lines of a file


@dataclass(frozen=True, slots=True)
class Rollouts:
    """Stage: label solutions of a policy to the problems of a data set; a JSONL line a solution.

    dataset, policy, search: configurations, the last one of a `MonteCarlo`; the policy is loaded once the file is known
    to be of these settings. shard, shards: this process takes every shards-th problem and writes its own file `out`; a
    problem that is already there is not done again.
    """

    out: str
    dataset: Mapping[str, Any]
    policy: Mapping[str, Any]
    search: Mapping[str, Any]
    seed: int
    shard: int = 0
    shards: int = 1

    def run(self) -> None:
        config = {name: getattr(self, name) for name in DECISIVE}
        search: MonteCarlo = build(config, "search")
        problems = _with_answers(build(config, "dataset"))[self.shard :: self.shards]
        with RolloutFile(Path(self.out), identity(portable(config))) as file:
            done = {closing.done for closing in file.closed}
            todo = [problem for problem in problems if problem.id not in done]
            if todo:
                outcomes = run(search, Majority(), todo, build(config, "policy"), _no_prm, Budget(), self.seed)
                for outcome in track(outcomes, total=len(todo), description="rollouts"):
                    file.append(labelled(outcome, search), _closing(outcome, search))
            print(_report(file.closed))


def _with_answers(problems: Sequence[Problem]) -> Sequence[Problem]:
    lacking = sum(problem.answer is None for problem in problems)
    if lacking:
        raise UserError(f"{lacking} of {len(problems)} problems have no reference answer, which labels are made from")
    return problems


def _closing(outcome: Outcome, search: MonteCarlo) -> Closing:
    samples = outcome.candidates[: search.samples]
    dropped = sum(answer(sample) is None for sample in samples)
    return Closing(outcome.problem.id, len(samples), dropped, outcome.ledger)


def _report(closed: Sequence[Closing]) -> str:
    cost = total([closing.ledger for closing in closed])
    return (
        f"{len(closed)} problems, {sum(c.samples for c in closed)} samples, {sum(c.dropped for c in closed)} of them "
        f"dropped (no answer); {cost.generations} generations, {cost.decoded_tokens} tokens decoded, "
        f"{cost.prompt_tokens - cost.cached_tokens} read, {cost.policy_flops:.3g} FLOPs"
    )


def _no_prm() -> Any:
    raise AssertionError("rollouts never score")
