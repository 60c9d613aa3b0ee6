"""Results -> markdown tables, a JSON file, and the parts of a page between their marks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.harness import Effort, Limit, Result, Side, Spread
from benchmarks.machine import Machine

GOALS, ALL = "speed", "benchmarks"  # marks: <!-- speed --> ... <!-- /speed -->
BRIEF = "goal", "what", "measured", "wanted", "met"
COLUMNS = "goal", "what", "measured", "by CPU time", "wanted", "met", "seconds (CPU) and counters"


def table(results: Iterable[Result]) -> str:
    lines = [COLUMNS, ("---",) * len(COLUMNS), *map(cells, results)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def goals(results: Iterable[Result]) -> str:
    """Only what has a goal, without counters."""
    rows = [dict(zip(COLUMNS, cells(result), strict=True)) for result in results if result.limit is not None]
    lines = [BRIEF, ("---", "---", "---:", "---:", "---"), *(tuple(row[key] for key in BRIEF) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def cells(result: Result) -> tuple[str, ...]:
    met = {True: "yes", False: "**no**", None: ""}[result.met]
    more = [*(shown(name, side) for name, side in result.sides.items()), *filter(None, [result.note])]
    return (
        result.goal,
        result.what,
        spread(result.measured, result.unit),
        spread(result.cpu, result.unit) if result.cpu else "",
        wanted(result.limit, result.unit),
        met,
        "; ".join(more),
    )


def line(result: Result) -> str:
    return f"{result.goal}  {result.what}: {spread(result.measured, result.unit)}"


def spread(numbers: Spread, unit: str) -> str:
    """1.23 (1.20 to 1.31); one number where it is exact."""
    around = "" if numbers.low == numbers.high else f" ({digits(numbers.low)} to {digits(numbers.high)})"
    return f"{digits(numbers.median)}{unit}{around}"


def wanted(limit: Limit | None, unit: str) -> str:
    return "" if limit is None else f"{'≥' if limit.least else '≤'} {limit.value:g}{unit}"


def shown(name: str, side: Side) -> str:
    """DVTS 5.31 s (5.29), decoded_tokens 12,345"""
    times = [] if side.wall is None or side.cpu is None else [f"{digits(side.wall)} s ({digits(side.cpu)})"]
    counts = [f"{counter} {count:,}" for counter, count in side.counters.items()]
    return f"{name} {', '.join([*times, *counts])}".strip()


def digits(number: float) -> str:
    """Three significant ones; whole numbers beyond that, and of a count."""
    if isinstance(number, int):
        return f"{number:,}"
    if abs(number) < 1:
        return f"{number:.3g}"
    return f"{number:.2f}" if abs(number) < 10 else f"{number:.1f}" if abs(number) < 100 else f"{number:,.0f}"


def to_json(machine: Machine, results: Sequence[Result]) -> str:
    rows = [asdict(result) | {"met": result.met} for result in results]
    return json.dumps({"machine": asdict(machine), "results": rows}, indent=1) + "\n"


def read_json(file: Path) -> tuple[Machine, list[Result]]:
    """What `to_json` has written. SystemExit where it is none."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        machine = content["machine"]
        about = {**machine, "load": tuple(machine["load"]), "effort": Effort(**machine["effort"])}
        return Machine(**about), [_result(row) for row in content["results"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SystemExit(f"{file}: no results of this version of the benchmarks: {error}") from error


def _result(row: dict[str, Any]) -> Result:
    del row["met"]
    return Result(
        **{
            **row,
            "measured": Spread(**row["measured"]),
            "limit": row["limit"] and Limit(**row["limit"]),
            "cpu": row["cpu"] and Spread(**row["cpu"]),
            "sides": {name: Side(**side) for name, side in row["sides"].items()},
        }
    )


def write_between(page: Path, mark: str, text: str) -> None:
    """Put `text` between <!-- mark --> and <!-- /mark --> of a page."""
    content = page.read_text(encoding="utf-8")
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    if content.count(begin) != 1 or content.count(end) != 1:
        raise SystemExit(f"{page}: no single pair of {begin} and {end}")
    head, rest = content.split(begin)
    page.write_text(f"{head}{begin}\n{text}{end}{rest.split(end)[1]}", encoding="utf-8")
