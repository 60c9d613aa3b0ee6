"""The record of one problem: what its search came to, as a line of JSON (docs/records.md)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Self

from ttcs.core import Stop
from ttcs.search.ledger import Ledger


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """A step of the search tree. parent: the node of the step before (None: the problem). tokens: None: not known.

    thinking, given: see `Step`. confidence: `Confidence.values` of it, where it was asked for.
    """

    node: int
    parent: int | None
    text: str
    tokens: int | None
    stop: Stop
    score: float | None
    thinking: bool = False
    given: bool = False
    confidence: tuple[float, *tuple[float | None, ...]] | None = None


@dataclass(frozen=True, slots=True)
class CandidateRecord:
    """A candidate as it was voted on. leaf: the node of its last step (None: it has no step). tokens: as a node's.

    revises: the leaves of the attempts it was shown, oldest first. thinking: tokens of its thinking, those that the
    strategy put there included (None: the policy does not think). confidence: as a node's, over all steps.
    """

    leaf: int | None
    answer: str | None
    group: int | None
    score: float | None
    correct: bool | None
    tokens: int | None
    stop: Stop | None
    subtree: int | None
    revises: tuple[int, ...] = ()
    thinking: int | None = None
    confidence: tuple[float, *tuple[float | None, ...]] | None = None

    @property
    def finished(self) -> bool:
        """Whether it can be an answer. One that a strategy cut off in its thinking has none in any case."""
        return self.stop == Stop.END or (self.stop == Stop.CUT and self.answer is not None)


@dataclass(frozen=True, slots=True)
class Record:
    """What one search did and what came of it.

    run_seconds: the clock of the run when this was written, all its sessions added.
    policy_parameters, prm_parameters: what the FLOPs of the ledger were counted from; None: the PRM was not asked, or
        the record is older than these fields.
    prm_limit: tokens that the PRM reads at most; None: nothing was longer, or the record is older than this field.
    adaptive: what the samples are has decided how many there are, so that fewer of them say nothing about a smaller n.
    """

    problem_id: str
    level: int | None
    family: str | None
    reference: str | None
    answer: str | None
    correct: bool | None
    chosen: int | None
    run_seconds: float
    ledger: Ledger
    candidates: tuple[CandidateRecord, ...]
    tree: tuple[NodeRecord, ...]
    policy_parameters: int | None = None
    prm_parameters: int | None = None
    prm_limit: int | None = None
    adaptive: bool = False

    @property
    def graded(self) -> bool:
        """Whether answers were compared with a reference."""
        verdicts = [candidate.correct for candidate in self.candidates] or [self.correct]
        return self.reference is not None and None not in verdicts

    def to_json(self) -> str:
        return json.dumps(self, default=_fields, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, line: str) -> Self:
        row: dict[str, Any] = json.loads(line)
        return cls(
            **{
                **row,
                "ledger": Ledger(**row["ledger"]),
                "candidates": tuple(CandidateRecord(**_listed(_stopped(candidate))) for candidate in row["candidates"]),
                "tree": tuple(NodeRecord(**_stopped(node)) for node in row["tree"]),
            }
        )


def _stopped(part: dict[str, Any]) -> dict[str, Any]:
    """A node or a candidate of a line, in the types that it was written from."""
    stop, sure = part["stop"], part.get("confidence")
    return {
        **part, "stop": None if stop is None else Stop(stop), "confidence": None if sure is None else tuple(sure)
    }  # fmt: skip


def _listed(part: dict[str, Any]) -> dict[str, Any]:
    return {**part, "revises": tuple(part.get("revises", ()))}


def _fields(part: Any) -> dict[str, Any]:
    """A record, or a part of one, as JSON has it: a tree has thousands of nodes, and `asdict` copies all it meets.

    Few runs ask for confidence, and only theirs say anything of it.
    """
    fields = {name: getattr(part, name) for name in part.__slots__}
    return {name: value for name, value in fields.items() if name != "confidence" or value is not None}
