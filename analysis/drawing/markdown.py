"""Tables as Markdown, aligned to be read as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from ttcs.records.interval import Interval


def grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column to the left, the others to the right."""
    body = [header, *rows]
    widths = [max(len(row[i]) for row in body) for i in range(len(header))]
    rule = ["-" * widths[0], *("-" * (size - 1) + ":" for size in widths[1:])]
    return "\n".join(_row(row, widths) for row in [header, rule, *rows])


def by_dataset(table: pd.DataFrame, part: Callable[[str, pd.DataFrame], Sequence[str]]) -> str:
    """A part of the text for each dataset of a table. part: its name and its rows -> paragraphs."""
    parts = [paragraph for name, rows in table.groupby("dataset", sort=False) for paragraph in part(str(name), rows)]
    return "\n\n".join(parts) + "\n"


def percent(value: Interval, ends: bool = False, sign: str = "") -> str:
    """53.0 ± 4.1, or with its ends 53.0 (48.9-57.1). sign: "+" to show that of the mean."""
    mean, low, high = (100 * number for number in value)
    if pd.isna(low):
        return f"{mean:{sign}.1f}"
    return f"{mean:{sign}.1f} ({low:.1f}-{high:.1f})" if ends else f"{mean:{sign}.1f} ± {(high - low) / 2:.1f}"


def bracketed(value: Interval, sign: str = "") -> str:
    """53.0 [48.9, 57.1]: for what may be negative, where 4.1 (-1.2-9.3) cannot be read. sign: "+" to show all signs."""
    mean, low, high = (100 * number for number in value)
    return f"{mean:{sign}.1f}" if pd.isna(low) else f"{mean:{sign}.1f} [{low:{sign}.1f}, {high:{sign}.1f}]"


def plain(value: Interval) -> str:
    """0.934 ± 0.012."""
    return f"{value.mean:.3f}" if pd.isna(value.low) else f"{value.mean:.3f} ± {(value.high - value.low) / 2:.3f}"


def number(value: float) -> str:
    if pd.isna(value):
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    return f"| {' | '.join([first[0].ljust(first[1]), *(cell.rjust(size) for cell, size in others)])} |"
