"""Has a verifier score labelled solutions, to see how well it does (docs/verifiers.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from rich.progress import track

from ttcs.config.components import build
from ttcs.config.identity import identity, portable
from ttcs.config.writable import made
from ttcs.core import PRM, Judge, Step, Stop, Trajectory, Turn
from ttcs.errors import UserError
from ttcs.records.folder import SCORES, difference
from ttcs.training.labelled import Labelled

Scores = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Stage: the scores that a PRM of any format and engine gives the steps of labelled solutions.

    out/name/scores.jsonl has a line for each solution, in order: its labels, and beside them its scores (null: this PRM
    gives that step none). What is there already is not done again. name: what figures call the PRM. prm, solutions:
    configurations, of a PRM and of a `Source`. limit: the first so many solutions (None: all).
    """

    out: str
    name: str
    prm: Mapping[str, Any]
    solutions: Mapping[str, Any]
    limit: int | None = None

    def run(self) -> None:
        config = {"prm": self.prm, "solutions": self.solutions}
        found = list(islice(build(config, "solutions").solutions(), self.limit))
        path, settings = Path(self.out) / self.name / SCORES, identity(portable(config))
        done = _done(path, settings, found)
        with path.open("a", encoding="utf-8") as file:
            for line in _lines(config, found[done:]):
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                file.flush()
        print(f"{len(found)} solutions scored, {done} of them before: {path}")


def scored(prm: PRM, solutions: Sequence[Labelled]) -> Iterator[Scores]:
    """In the order of the solutions, a batch of the PRM's after another."""
    for start in range(0, len(solutions), prm.capacity):
        batch = solutions[start : start + prm.capacity]
        for ticket, solution in enumerate(batch):
            prm.add(ticket, Judge(trajectory(solution)))
        results: dict[int, Scores] = {}
        while len(results) < len(batch):
            results |= {ticket: judged.scores for ticket, judged in prm.step()}
        yield from (results[ticket] for ticket in range(len(batch)))


def trajectory(solution: Labelled) -> Trajectory:
    """A solution as if a policy had written it, and so each attempt that it revises. PRMs read the text alone."""
    stops = [Stop.STEP] * (len(solution.steps) - 1) + [Stop.END]
    steps = tuple(
        Step(node, (), text, stop) for node, (text, stop) in enumerate(zip(solution.steps, stops, strict=True))
    )
    attempts = (Trajectory(solution.problem, (Step(0, (), text, Stop.END),)) for text in solution.attempts)
    return Trajectory(solution.problem, steps, history=tuple(Turn(attempt) for attempt in attempts))


def _lines(config: Any, solutions: Sequence[Labelled]) -> Iterator[dict[str, Any]]:
    """The PRM is loaded only when there is something to score."""
    if solutions:
        scores = scored(build(config, "prm"), solutions)
        for solution, own in track(zip(solutions, scores, strict=True), total=len(solutions), description="scores"):
            yield {**_text(solution), "labels": list(solution.labels), "scores": list(own)}


def _text(solution: Labelled) -> dict[str, Any]:
    problem = solution.problem
    known = {"problem_id": problem.id, "question": problem.question, "steps": list(solution.steps)}
    return known | ({"attempts": list(solution.attempts)} if solution.attempts else {})


def _done(path: Path, settings: Mapping[str, Any], solutions: Iterable[Labelled]) -> int:
    """How many solutions a file has already, without the line that a kill has torn; a new file begins with `settings`.

    UserError when it is of another PRM or of other solutions.
    """
    made(path.parent)
    text = path.read_bytes() if path.exists() else b""
    whole = text[: text.rfind(b"\n") + 1]
    if not whole:
        path.write_text(json.dumps({"settings": settings}) + "\n", encoding="utf-8")
        return 0
    first, *lines = (json.loads(line) for line in whole.splitlines())
    if keys := difference(first["settings"], json.loads(json.dumps(settings))):
        raise UserError(f"{path} was made with other settings: {keys}; choose another stage.name")
    for number, (line, solution) in enumerate(zip(lines, solutions, strict=False), 2):
        if {key: line[key] for key in _text(solution) if key in line} != _text(solution):
            raise UserError(f"{path}:{number} is of another solution than there is now; choose another stage.name")
    if len(whole) < len(text):
        path.write_bytes(whole)
    return len(lines)
