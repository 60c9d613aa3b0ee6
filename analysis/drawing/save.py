"""Outputs -> files. The numbers behind a picture lie beside it as CSV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.drawing.style import RC
from ttcs.config.writable import made


def picture(
    files: Sequence[Path],
    draw: Callable[[Axes, pd.DataFrame], Axes],
    table: pd.DataFrame,
    title: str,
    note: str,
    size: tuple[float, float],
) -> None:
    """The same picture in every format that the names of the files end in; `note` stands under the title."""
    with mpl.rc_context(RC):
        figure = Figure(figsize=size)
        ax = draw(figure.add_subplot(), table)
        ax.set_title(title)
        ax.annotate(note, (0, 1), (0, 5), xycoords="axes fraction", textcoords="offset points",
                    va="bottom", fontsize=7.5, color="#777777")  # fmt: skip
        for file in files:
            made(file.parent)
            figure.savefig(file)


def numbers(file: Path, table: pd.DataFrame) -> Path:
    made(file.parent)
    table.to_csv(file, index=False)
    return file


def text(file: Path, content: str) -> Path:
    made(file.parent)
    file.write_text(content, encoding="utf-8")
    return file


def note(table: pd.DataFrame) -> str:
    """Problems, seeds and the kind of interval, as far as the columns of the table say so. Greedy has no seeds."""
    drawn = table[table["method"] != "greedy"] if "method" in table else table
    parts = [
        *([f"{span(table['n_problems'])} problems"] if "n_problems" in table else []),
        *([f"{span(drawn['seeds'])} seeds"] if "seeds" in drawn and len(drawn) else []),
        "95% bootstrap intervals over problems",
    ]
    return ", ".join(parts).replace(", 1 seeds", ", 1 seed")


def lines_note(table: pd.DataFrame) -> str:
    """That of curves, some of which may come from larger runs."""
    both = table.groupby("method")["derived"].any().nunique() > 1
    return note(table) + "; bands: subsets of a larger run, bars: a run per point" * both


def span(counts: pd.Series) -> str:
    """5, or 5 to 9."""
    low, high = int(counts.min()), int(counts.max())
    return str(low) if low == high else f"{low} to {high}"
