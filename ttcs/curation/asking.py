"""A policy is asked about many rows, greedily; what it said is kept line by line."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.progress import track

from ttcs.choice.selection import Majority
from ttcs.config.components import build
from ttcs.config.composed import composed
from ttcs.config.writable import made
from ttcs.core import Policy, Problem, Trajectory
from ttcs.curation.answer_file import Line, answered
from ttcs.running.progress import console
from ttcs.search.budget import Budget
from ttcs.search.scheduler import run
from ttcs.strategies.greedy import Greedy

Reading = Callable[[Problem, Trajectory], Line]


def ask(policy: Sequence[str], problems: Sequence[Problem], path: Path, reading: Reading, what: str) -> dict[str, Line]:
    """Problem id -> what was read from the policy's greedy solution, as the file `path` keeps it.

    Problems that are in the file are not asked about again. The policy is loaded only if there are others.
    """
    done = answered(path)
    todo = [problem for problem in problems if problem.id not in done]
    if todo:
        loaded: Policy = build(composed("policy", policy), "policy")
        outcomes = run(Greedy(), Majority(), todo, loaded, _no_prm, Budget(), 0)  # temperature 0: no seed is drawn from
        made(path.parent)
        with path.open("a", encoding="utf-8") as file:
            for outcome in track(outcomes, what, len(todo), console=console, disable=not console.is_terminal):
                line = {"key": outcome.problem.id, **reading(outcome.problem, outcome.candidates[0])}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                file.flush()
                done[outcome.problem.id] = line
    return done


def _no_prm() -> Any:
    raise AssertionError("a greedy solution is not scored")
