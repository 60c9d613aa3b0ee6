"""Many runs -> Markdown: accuracy with interval, tokens and seconds of every method at every N."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from analysis import evaluate
from analysis.load import RecordsError, load
from analysis.style import look

COLUMNS = (1, 4, 16, 64, 256)


def markdown(root: Path, at: Sequence[int] = COLUMNS, ends: bool = False) -> str:
    """The tables for all runs below `root`. ends: intervals as 53.0 (48.9-57.1) instead of 53.0 ± 4.1."""
    estimates = evaluate.evaluate(load(Path(root)))
    table = evaluate.summary(estimates[estimates["selection"] != "pass"])
    if not table["n"].isin(at).any():
        raise RecordsError(f"{root}: no run has an N of {', '.join(map(str, at))}; there are {_have(table)}")
    problems, seeds = table["n_problems"].max(), table["seeds"]
    counted = f"{seeds.min()}" if seeds.min() == seeds.max() else f"{seeds.min()}-{seeds.max()}"
    caption = f"{problems} problems, seeds per cell: {counted}; 95% bootstrap intervals over problems."
    parts = [
        f"Accuracy (%). {caption}",
        grid(table, at, lambda row: _accuracy(row, ends)),
        "Decoded tokens per problem.",
        grid(table, at, lambda row: _number(row["tokens"])),
        "Seconds per problem (~: share of a larger run's).",
        grid(table, at, lambda row: ("~" if row["derived"] else "") + _number(row["seconds"])),
    ]
    return "\n\n".join(parts) + "\n"


def grid(table: pd.DataFrame, at: Sequence[int], cell: Callable[[pd.Series], str]) -> str:
    """Rows methods, columns N; what no run says stays empty."""
    cells = {(row["method"], int(row["n"])): cell(row) for _, row in table.iterrows()}
    methods = sorted(table["method"].unique(), key=lambda name: (look(name).rank, name))
    rows = [[look(name).label, *(cells.get((name, n), "") for n in at)] for name in methods]
    header = ["Method", *(f"N = {n}" for n in at)]
    body = [header, *(row for row in rows if any(row[1:]))]
    widths = [max(len(row[i]) for row in body) for i in range(len(header))]
    rule = ["-" * widths[0], *("-" * (size - 1) + ":" for size in widths[1:])]
    return "\n".join(_row(row, widths) for row in [header, rule, *body[1:]])


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    return f"| {' | '.join([first[0].ljust(first[1]), *(cell.rjust(size) for cell, size in others)])} |"


def _accuracy(row: pd.Series, ends: bool) -> str:
    mean, low, high = (100 * row[column] for column in ("accuracy", "low", "high"))
    if pd.isna(low):
        return f"{mean:.1f}"
    return f"{mean:.1f} ({low:.1f}-{high:.1f})" if ends else f"{mean:.1f} ± {(high - low) / 2:.1f}"


def _number(value: float) -> str:
    if pd.isna(value):
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _have(table: pd.DataFrame) -> str:
    return ", ".join(str(n) for n in sorted(table["n"].unique()))
