"""All that records say, as three tables: problems, their candidates, and the steps of the search trees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Self

import pyarrow as pa  # type: ignore[import-untyped]

from ttcs.export.run import Run, steps, text
from ttcs.export.tables import Row
from ttcs.records.record import CandidateRecord, NodeRecord, Record
from ttcs.search.ledger import Ledger

WHOLE, REAL, TEXT, TRUTH = pa.int64(), pa.float64(), pa.string(), pa.bool_()
SURE = {"confidence": REAL, "least_confidence": REAL, "tail_confidence": REAL, "bottom_confidence": REAL}
PROBLEM = {"problem_id": TEXT, "question": TEXT, "level": WHOLE, "family": TEXT, "reference": TEXT, "answer": TEXT,
           "correct": TRUTH, "chosen": WHOLE, "candidates": WHOLE}  # fmt: skip
CANDIDATE = {"problem_id": TEXT, "candidate": WHOLE, "chosen": TRUTH, "text": TEXT, "steps": pa.list_(TEXT),
             "scores": pa.list_(REAL), "nodes": pa.list_(WHOLE), "answer": TEXT, "group": WHOLE, "score": REAL,
             "correct": TRUTH, "tokens": WHOLE, "thinking": WHOLE, "stop": TEXT, "subtree": WHOLE,
             "revises": pa.list_(WHOLE), **SURE}  # fmt: skip
NODE = {"problem_id": TEXT, "node": WHOLE, "parent": WHOLE, "text": TEXT, "tokens": WHOLE, "stop": TEXT,
        "score": REAL, "thinking": TRUTH, "given": TRUTH, **SURE}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parquet:
    """ledger: names of what it counts -> type; their columns stand behind those of the problems."""

    ledger: Mapping[str, pa.DataType]
    about: ClassVar[Mapping[str, str]] = {
        "problems": "a row per problem: question, reference, answer, verdict, and the ledger of what it cost",
        "candidates": "a row per candidate: text, steps with their scores, answer, group of equal answers, verdict",
        "tree": "a row per step of the search trees, pruned ones too; parent is the step before (null: the problem)",
    }

    @classmethod
    def of(cls, run: Run) -> Self:
        return cls({field.name: REAL if field.type == "float" else WHOLE for field in fields(Ledger)})

    def schemas(self) -> dict[str, pa.Schema]:
        problem = pa.schema({**PROBLEM, **self.ledger})
        return {"problems": problem, "candidates": pa.schema(CANDIDATE), "tree": pa.schema(NODE)}

    def rows(self, run: Run, record: Record) -> Iterator[tuple[str, Row]]:
        asked = run.problems.get(record.problem_id)
        question = None if asked is None else asked.question
        known = {name: getattr(record, name, None) for name in PROBLEM}
        counts = {"question": question, "candidates": len(record.candidates)}
        yield "problems", {**known, **counts, **_ledger(run, record)}
        for index, candidate in enumerate(record.candidates):
            yield "candidates", _candidate(record, index, candidate)
        for node in record.tree:
            yield "tree", {**{name: getattr(node, name, None) for name in NODE}, **_id(record), **_sure(node)}


def _candidate(record: Record, index: int, candidate: CandidateRecord) -> dict[str, Any]:
    path = steps(record, candidate)
    return {
        **{name: getattr(candidate, name, None) for name in CANDIDATE},
        **_id(record),
        **_sure(candidate),
        "candidate": index,
        "chosen": index == record.chosen,
        "text": text(path),
        "steps": [node.text for node in path],
        "scores": [node.score for node in path],
        "nodes": [node.node for node in path],
        "revises": list(candidate.revises),
    }


def _ledger(run: Run, record: Record) -> dict[str, float | None]:
    """Of an imported run, what it does not know stands as 0 in a ledger that was read."""
    counts: dict[str, float | None] = asdict(record.ledger)
    return {name: count or None for name, count in counts.items()} if "pool" in run.stored.config else counts


def _sure(part: CandidateRecord | NodeRecord) -> dict[str, float | None]:
    return dict(zip(SURE, part.confidence or (), strict=False))


def _id(record: Record) -> dict[str, str]:
    return {"problem_id": record.problem_id}
