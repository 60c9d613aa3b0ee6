"""A run as the page shows it: what it is called, its settings, and for each problem a row and the packed search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.view.formulas import Formulas
from analysis.view.search import packed, share
from ttcs.config.identity import identity, portable
from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.records.folder import RECORDS
from ttcs.records.record import Record
from ttcs.records.stored import Stored
from ttcs.running.questions import questions

HIDDEN = 200  # characters of a setting that is longer than this are left out


@dataclass(frozen=True, slots=True)
class Row:
    """What the list shows of a problem. share: see `search.share`. chunk: the packed search."""

    id: str
    level: int | None
    family: str | None
    reference: str | None
    answer: str | None
    correct: bool | None
    tokens: int
    share: float | None
    chunk: str

    @classmethod
    def of(cls, record: Record, selection: str, formulas: Formulas) -> Row:
        own = None if (part := share(record, selection)) is None else round(part, 4)
        known = record.problem_id, record.level, record.family, record.reference, record.answer, record.correct
        return cls(*known, record.ledger.decoded_tokens, own, packed(record, formulas))


@dataclass(frozen=True, slots=True)
class Run:
    """title: strategy, n and selection. facts: dotted setting -> value. missing: why there are no questions."""

    folder: Path
    title: str
    selection: str
    facts: Mapping[str, str]
    rows: Mapping[str, Row]
    problems: Mapping[str, Problem]
    missing: str | None

    @classmethod
    def of(cls, folder: Path, formulas: Formulas, last: int | None = None) -> Run:
        """UserError where it is not the folder of a run, or one of its records is none.

        formulas: of the page. last: searches of a run that goes on, the newest in that order; None: all.
        """
        stored = Stored.of(folder)
        rows = _rows(stored, formulas, last)
        if not rows:
            raise UserError(f"{folder / RECORDS}: no records yet")
        asked = questions(stored, anew=last is not None)
        problems = asked.problems if last is None else _newest(rows, asked.problems)
        facts = {key: _short(value) for key, value in sorted(identity(portable(stored.config)).items())}
        return cls(folder, _title(stored), _named(stored, "selection"), facts, rows, problems, asked.missing)


def _newest(rows: Mapping[str, Row], problems: Mapping[str, Problem]) -> dict[str, Problem]:
    return {name: problems[name] for name in reversed(list(rows)) if name in problems}


def _rows(stored: Stored, formulas: Formulas, last: int | None) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    selection = _named(stored, "selection")
    for record in stored.records(last):
        try:
            row = Row.of(record, selection, formulas)
        except (UserError, TypeError, ValueError, AttributeError) as error:
            problem = record.problem_id
            raise UserError(f"{stored.folder / RECORDS}: malformed record of problem {problem}: {error}") from error
        if row.id in rows:
            raise UserError(f"{stored.folder / RECORDS}: problem {row.id} is there twice")
        rows[row.id] = row
    return rows


def _title(stored: Stored) -> str:
    """`dvts, n = 16, weighted`."""
    strategy, n = _named(stored, "strategy"), stored.config["strategy"].get("n")
    return ", ".join(filter(None, [strategy, f"n = {n}" if n else "", _named(stored, "selection")]))


def _named(stored: Stored, group: str) -> str:
    """As the summary calls it; of a run that is not finished the module of its class, or the class itself."""
    if stored.setting is not None:
        return str(getattr(stored.setting, group))
    *module, name = str(stored.config.get(group, {}).get("_target_", "")).split(".")
    return module[-1] if group == "strategy" and module else name.lower()


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= HIDDEN else f"{text[:HIDDEN]} ..."
