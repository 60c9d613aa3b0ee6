"""The run that is exported: its records beside what their problems ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.records.folder import RECORDS
from ttcs.records.record import CandidateRecord, NodeRecord, Record
from ttcs.records.stored import Stored
from ttcs.records.summary import Setting
from ttcs.running.questions import questions


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run. problems: by id; empty where the problem set is not at hand, for the reason `missing`."""

    stored: Stored
    setting: Setting
    problems: Mapping[str, Problem]
    missing: str | None

    @classmethod
    def of(cls, folder: Path) -> Run:
        """UserError where it is not the folder of a finished run."""
        stored = Stored.of(folder)
        if stored.setting is None:
            raise UserError(f"{folder}: the run is not finished (it has no summary.json)")
        asked = questions(stored)
        return cls(stored, stored.setting, asked.problems, asked.missing)

    def records(self) -> Iterator[Record]:
        """In the order of the file. UserError for one whose candidates end nowhere, and where there are none."""
        record = None
        for record in self.stored.records():
            known = {node.node for node in record.tree}
            if lost := [one.leaf for one in record.candidates if one.leaf is not None and one.leaf not in known]:
                raise UserError(f"{self._file}: malformed record of problem {record.problem_id}: no step {lost[0]}")
            yield record
        if record is None:
            raise UserError(f"{self._file}: no records yet")

    def question(self, record: Record) -> str:
        """UserError where it is not at hand."""
        if record.problem_id not in self.problems:
            why = self.missing or f"the problem set has no problem {record.problem_id}"
            raise UserError(f"the questions of {self.stored.folder} are not at hand: {why}")
        return self.problems[record.problem_id].question

    @property
    def _file(self) -> Path:
        return self.stored.folder / RECORDS


def steps(record: Record, candidate: CandidateRecord) -> list[NodeRecord]:
    """Of a candidate, from the first to the last. UserError where they go in a circle."""
    nodes = {node.node: node for node in record.tree}
    path: list[NodeRecord] = []
    at = candidate.leaf
    while at is not None:
        if len(path) > len(nodes) or at not in nodes:
            raise UserError(f"malformed record of problem {record.problem_id}: its steps do not lead to the problem")
        path.append(nodes[at])
        at = nodes[at].parent
    return path[::-1]


def text(path: list[NodeRecord]) -> str:
    """The solution."""
    return "".join(node.text for node in path)
