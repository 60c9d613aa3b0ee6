"""Drops questions that a policy solves: 51,581 -> 24,496 rows in s1 (Muennighoff et al., 2025, section 2.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ttcs import answers
from ttcs.config.composed import composed
from ttcs.core import Problem, Trajectory
from ttcs.curation.answer_file import Line, read
from ttcs.curation.asking import ask
from ttcs.curation.row import Drop, Row
from ttcs.curation.stage import Filter, Rows


@dataclass(frozen=True, slots=True)
class Solved:
    """solved: key of a row -> the name of what solved it."""

    solved: Mapping[str, str]

    def judge(self, row: Row) -> Row | Drop:
        solver = row.solved[0] if row.solved else self.solved.get(row.key)
        return row if solver is None else Drop(f"solved by {solver}")


@dataclass(frozen=True, slots=True)
class Difficulty:
    """A row is dropped where any of the policies solves its question, greedily, by the graders of `ttcs.answers`.

    policies: name -> words that name one, see `composed`; asked one after the other, each about what the earlier ones
    have not solved. verdicts: files of lines {"key": "source/id", "solved": true}, such as this stage writes. Rows
    solved by their columns (`TraceColumns.solved`) are dropped too, and not asked about. Where there is no reference
    nothing can be called solved, and the row stays.
    """

    policies: Mapping[str, Sequence[str]]
    verdicts: Sequence[str] = ()

    def __post_init__(self) -> None:
        for words in self.policies.values():
            composed("policy", words)  # a mistake is told now, not when the other stages are done

    def ask(self, rows: Rows, files: Path) -> Filter:
        solved = {key: Path(path).name for path in self.verdicts for key in _solved(read(Path(path)).values())}
        open_rows = (row for row in rows() if row.reference is not None and not row.solved)
        todo = [Problem(row.key, row.question, row.reference) for row in open_rows if row.key not in solved]
        for name, words in self.policies.items():
            path = files.with_name(f"{files.name}-{name}.jsonl")
            said = ask(words, todo, path, verdict, f"difficulty: {name}")
            solved |= dict.fromkeys(_solved(said.values()), name)
            todo = [problem for problem in todo if problem.id not in solved]
        return Solved(solved)


def verdict(problem: Problem, solution: Trajectory) -> Line:
    """Only a finished solution has an answer."""
    answer = answers.extract(solution.solution) if solution.finished else None
    right = answer is not None and problem.answer is not None and answers.equivalent(answer, problem.answer)
    return {"solved": right, "answer": answer}


def _solved(lines: Iterable[Line]) -> list[str]:
    return [line["key"] for line in lines if line.get("solved") is True]
