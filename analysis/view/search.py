"""The record of one problem as columns of numbers and texts: what the page is given of its search.

Columns are as long as the search has steps or candidates, and pack to a fraction of what records take. A record that
could not be drawn, as one whose steps have no beginning, is refused here.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any
from zlib import compress

from analysis.view.formulas import Formulas
from ttcs.core import Stop
from ttcs.errors import UserError
from ttcs.records.record import CandidateRecord, NodeRecord, Record

STOPS = tuple(Stop)
DIGITS = 5  # of a score
WEIGHED = frozenset({"best", "hierarchical", "weighted"})  # selections that go by scores
THINKING, GIVEN = 1, 2  # bits of `flags`


def packed(record: Record, formulas: Formulas) -> str:
    """The search as JSON, deflated (zlib), in base64. UserError where the record contradicts itself."""
    text = json.dumps(columns(record, formulas), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return b64encode(compress(text.encode("utf-8", "backslashreplace"))).decode("ascii")


def columns(record: Record, formulas: Formulas) -> dict[str, Any]:
    """nodes: parent is a place in the columns (null: the problem); candidates: leaf is one too. stop: in `STOPS`.

    formulas: of steps and answers, as they stand there -> MathML (absent: there are none).
    """
    place = {node.node: at for at, node in enumerate(record.tree)}
    if len(place) < len(record.tree):
        raise UserError("two steps have one number")
    return {
        "nodes": _nodes(record.tree, place),
        "candidates": _candidates(record.candidates, place),
        "chosen": _chosen(record),
        "ledger": {name: count for name, count in asdict(record.ledger).items() if count},
        "seconds": record.run_seconds,
        **_formulas(record, formulas),
    }


def _formulas(record: Record, formulas: Formulas) -> dict[str, Any]:
    within = formulas.within(node.text for node in record.tree)
    alone = formulas.alone(one.answer for one in record.candidates if one.answer is not None)
    return {"formulas": within | alone} if within or alone else {}


def share(record: Record, selection: str) -> float | None:
    """What part of all answers the chosen one has: of their scores if the selection goes by them, else of the votes."""
    if (chosen := _chosen(record)) is None:
        return None
    answered = [one for one in record.candidates if one.group is not None]
    scored = selection in WEIGHED and any(one.score is not None for one in answered)
    weights = [(one.group, (one.score or 0.0) if scored else 1.0) for one in answered]
    total = sum(weight for _, weight in weights)
    group = record.candidates[chosen].group
    return sum(weight for own, weight in weights if own == group) / total if total else None


def _nodes(tree: Sequence[NodeRecord], place: dict[int, int]) -> dict[str, list[Any]]:
    parents = [None if node.parent is None else _found(place, node.parent) for node in tree]
    if any(parent is not None and parent >= at for at, parent in enumerate(parents)):
        raise UserError("a step stands before the one that it continues")
    return {
        "parent": parents,
        "text": [_text(node.text) for node in tree],
        "tokens": [_count(node.tokens) for node in tree],
        "stop": [STOPS.index(node.stop) for node in tree],
        "score": [_number(node.score) for node in tree],
        **_flags(node.thinking * THINKING + node.given * GIVEN for node in tree),
    }


def _flags(flags: Iterable[int]) -> dict[str, list[int]]:
    """No column where there is nothing to say."""
    column = list(flags)
    return {"flags": column} if any(column) else {}


def _candidates(candidates: Sequence[CandidateRecord], place: dict[int, int]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {
        "leaf": [None if one.leaf is None else _found(place, one.leaf) for one in candidates],
        "answer": [None if one.answer is None else _text(one.answer) for one in candidates],
        "group": [_count(one.group) for one in candidates],
        "score": [_number(one.score) for one in candidates],
        "correct": [None if one.correct is None else bool(one.correct) for one in candidates],
        "tokens": [_count(one.tokens) for one in candidates],
        "stop": [None if one.stop is None else STOPS.index(one.stop) for one in candidates],
    }
    some: dict[str, list[Any]] = {
        "subtree": [_count(one.subtree) for one in candidates],
        "thinking": [_count(one.thinking) for one in candidates],
        "confidence": [None if one.confidence is None else _number(one.confidence[0]) for one in candidates],
        "revises": [[_found(place, leaf) for leaf in one.revises] or None for one in candidates],
    }
    return found | {name: column for name, column in some.items() if any(value is not None for value in column)}


def _chosen(record: Record) -> int | None:
    if record.chosen is not None and not 0 <= record.chosen < len(record.candidates):
        raise UserError(f"candidate {record.chosen} is chosen, of {len(record.candidates)}")
    return record.chosen


def _found(place: dict[int, int], node: int) -> int:
    if node not in place:
        raise UserError(f"there is no step {node}")
    return place[node]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise UserError(f"{value!r} is not text")
    return value


def _number(score: float | None) -> float | None:
    return None if score is None else round(float(score), DIGITS)


def _count(number: int | None) -> int | None:
    return None if number is None else int(number)
