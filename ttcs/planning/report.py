"""A plan as a table for a person, and as plan.json."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ttcs.planning.estimate import Amount, total
from ttcs.planning.plan import Point
from ttcs.running.progress import console

TITLES = "tokens", "PRM tokens", "FLOPs", "hours", "cost"
ALWAYS = "strategy", "n"
WIDEST = 250  # characters
WIDE = "decoded_tokens", "cost"  # shown with an interval
UNITS = {"E": 1e18, "P": 1e15, "T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3}


def show(planned: Sequence[Point], title: str) -> None:
    """A row per point with what differs between them, and the totals; ± how far the 95 % interval goes."""
    given = [point.overrides for point in planned]
    swept = [key for key in given[0] if key not in ALWAYS and len({each.get(key) for each in given}) > 1]
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for name in (*ALWAYS, *swept, "problems"):
        table.add_column(name, no_wrap=True)
    for name in TITLES:
        table.add_column(name, justify="right", no_wrap=True)
    for point in planned:
        differing = [point.overrides.get(key, "") for key in swept]
        table.add_row(point.strategy, str(point.n), *differing, str(point.problems), *_cells(point.estimate.amounts()))
    if len(planned) > 1:
        table.add_section()
        table.add_row("total", "", *[""] * len(swept), "", *_cells(total([p.estimate for p in planned]).amounts()))
    # A number is never cut: where the terminal is too narrow, lines run over.
    needed = console.measure(table, options=console.options.update(max_width=WIDEST)).maximum
    Console(width=max(needed, console.width), highlight=False).print(table)
    for source in dict.fromkeys(point.source for point in planned):
        console.print(f"  from {source}", markup=False)


def to_json(planned: Sequence[Point], gpu: Mapping[str, Any]) -> str:
    """gpu: what was assumed of it."""
    totals = total([point.estimate for point in planned]).amounts()
    content = {
        "gpu": dict(gpu),
        "points": [point.to_row() for point in planned],
        "total": {name: asdict(amount) for name, amount in totals.items()},
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def _cells(amounts: Mapping[str, Amount]) -> list[str]:
    """What a line of 80 characters has room for; plan.json has every interval."""
    return [_short(each.mean) + (_wide(each) if name in WIDE else "") for name, each in amounts.items()]


def _wide(amount: Amount) -> str:
    """The farther end of the interval, as a share of the mean."""
    if not amount.mean:
        return ""
    return f"±{max(amount.high - amount.mean, amount.mean - amount.low) / amount.mean:.0%}"


def _short(value: float) -> str:
    """Three digits, large numbers by their unit: 570k."""
    letter, unit = next(((letter, unit) for letter, unit in UNITS.items() if value >= unit), ("", 1.0))
    digits = 3 if value / unit < 999.5 else 4
    return f"{value / unit:.{digits}g}{letter}"
