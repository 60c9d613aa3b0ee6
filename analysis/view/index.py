"""What the page knows from the start: its runs, and a row for each problem. Searches are unpacked when looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analysis.view.formulas import FORMULA, MOST, Formulas
from analysis.view.run import Row, Run
from analysis.view.search import STOPS
from ttcs.core import Problem
from ttcs.errors import UserError


def index(runs: Sequence[Run], formulas: Formulas) -> dict[str, Any]:
    """UserError where runs have different references for one problem: they are not of the same problems."""
    ids = _ordered(runs)
    _check(runs, ids)
    asked: dict[str, Problem] = {}
    for run in reversed(runs):
        asked |= run.problems
    notes = [f"{run.folder}: the questions are not shown: {run.missing}" for run in runs if run.missing]
    problems = [_problem(name, runs, asked, formulas) for name in ids]
    notes += [f"mathematics beyond {MOST:,} different formulas is shown as text"] if formulas.full else []
    return {"runs": list(map(_run, runs)), "problems": problems, "notes": notes, "stops": STOPS, "formula": FORMULA}


def chunks(runs: Sequence[Run]) -> Iterator[tuple[str, str]]:
    """Name and packed search: `c0-3` is that of the first run on the fourth problem of the index."""
    for at, name in enumerate(_ordered(runs)):
        for number, run in enumerate(runs):
            if name in run.rows:
                yield f"c{number}-{at}", run.rows[name].chunk


def _run(run: Run) -> dict[str, Any]:
    graded = [row.correct for row in run.rows.values() if row.correct is not None]
    return {
        "title": run.title,
        "folder": str(run.folder),
        "selection": run.selection,
        "facts": list(run.facts.items()),
        "right": sum(graded),
        "graded": len(graded),
        "problems": len(run.rows),
    }


def _problem(name: str, runs: Sequence[Run], asked: Mapping[str, Problem], formulas: Formulas) -> dict[str, Any]:
    question = asked[name].question if name in asked else None
    first = next(run.rows[name] for run in runs if name in run.rows)
    return {
        "id": name,
        "question": question,
        "formulas": {} if question is None else formulas.within([question]),
        "level": first.level,
        "family": first.family,
        "reference": first.reference,
        "runs": [_shown(run.rows.get(name)) for run in runs],
    }


def _shown(row: Row | None) -> list[Any] | None:
    return None if row is None else [row.answer, row.correct, row.tokens, row.share]


def _ordered(runs: Sequence[Run]) -> list[str]:
    """As the problem set has them; those that it does not have behind, 9 before 10."""
    place = {name: at for run in reversed(runs) for at, name in enumerate(run.problems)}
    names = {name for run in runs for name in run.rows}
    return sorted(names, key=lambda name: (place.get(name, len(place)), _natural(name)))


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(digits or 0), text) for text, digits in re.findall(r"(\D*)(\d{0,15})", name)]


def _check(runs: Sequence[Run], ids: Sequence[str]) -> None:
    for name in ids:
        rows = [(run.folder, run.rows[name].reference) for run in runs if name in run.rows]
        for folder, reference in rows[1:]:
            if reference != rows[0][1]:
                told = f"{rows[0][1]} in {rows[0][0]} and {reference} in {folder}"
                raise UserError(f"problem {name} has the reference {told}: these are runs of different problems")
