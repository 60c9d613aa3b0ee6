"""Solutions from the records of runs, labelled with whether their answers are right: for outcome reward models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from ttcs.config.components import build
from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.records.folder import RECORDS
from ttcs.records.record import CandidateRecord, NodeRecord, Record
from ttcs.records.stored import Stored
from ttcs.training.labelled import Labelled


@dataclass(frozen=True, slots=True)
class RunRecords:
    """Source: the candidates of the runs in a folder and below it; the label is that of the last step.

    One without an answer that can be read is dropped, and what a problem has several times is kept once.
    per_problem: as many of a problem's at most, drawn at random by `seed` (None: all). revisions: the runs must have
    some, and each comes with the attempts that it was shown.
    """

    folder: str
    seed: int
    per_problem: int | None = None
    revisions: bool = False

    def solutions(self) -> Iterator[Labelled]:
        for run in stored(self.folder):
            problems = {problem.id: problem for problem in build(run.config, "dataset")}
            found = revised = 0
            for record in run.records():
                solutions = self._drawn(labelled(record, _problem(record, problems, run.folder)), record.problem_id)
                revised += sum(bool(candidate.revises) for candidate in record.candidates)
                found += len(solutions)
                yield from solutions
            if not found:
                raise UserError(f"{run.folder}: no candidate with an answer, of a problem with a reference")
            if self.revisions and not revised:
                raise UserError(
                    f"{run.folder}: none of its candidates is a revision; strategy=revisions makes such runs"
                )

    def _drawn(self, solutions: Sequence[Labelled], problem: str) -> Sequence[Labelled]:
        if self.per_problem is None or len(solutions) <= self.per_problem:
            return solutions
        return Random(f"{self.seed}/{problem}").sample(solutions, self.per_problem)


def stored(folder: str) -> list[Stored]:
    """The runs in a folder and below it. UserError when there are none."""
    found = sorted(path.parent for path in Path(folder).rglob(RECORDS))
    if not found:
        raise UserError(f"no run ({RECORDS}) in {folder} or below it")
    return [Stored.of(path) for path in found]


def labelled(record: Record, problem: Problem) -> list[Labelled]:
    """The distinct candidates of a record that have an answer which is known to be right or wrong."""
    nodes = {node.node: node for node in record.tree}
    answered = [c for c in record.candidates if c.finished and c.answer is not None and c.correct is not None]
    return list(dict.fromkeys(_labelled(candidate, nodes, problem) for candidate in answered))


def path(nodes: Mapping[int, NodeRecord], leaf: int | None) -> list[str]:
    """The texts of the steps that lead to a node, in order."""
    texts: list[str] = []
    while leaf is not None:
        texts.append(nodes[leaf].text)
        leaf = nodes[leaf].parent
    return texts[::-1]


def _labelled(candidate: CandidateRecord, nodes: Mapping[int, NodeRecord], problem: Problem) -> Labelled:
    steps = tuple(text for text in path(nodes, candidate.leaf) if text.strip())
    attempts = tuple("".join(path(nodes, leaf)) for leaf in candidate.revises)
    return Labelled(problem, steps, (*[None] * (len(steps) - 1), float(candidate.correct is True)), attempts)


def _problem(record: Record, problems: Mapping[str, Problem], folder: Path) -> Problem:
    try:
        return problems[record.problem_id]
    except KeyError as error:
        raise UserError(f"{folder}: its data set, of {len(problems)} problems, has no {record.problem_id}") from error
