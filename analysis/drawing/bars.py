"""(ax, df) -> ax, with bars in groups."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from analysis.drawing.style import looks, ordered

GAP = 0.7  # of a bar, between budgets
SPACE = 2.2  # of a bar, between levels


def levels(ax: Axes, df: pd.DataFrame) -> Axes:
    """A group for each bin, in it one for each n, in it a bar for each method. Columns of evaluate.summary, and bin."""
    styles = looks(ordered(df["method"].unique()))
    budgets, bins = sorted(df["n"].unique()), sorted(df["bin"].unique())
    cluster = len(styles) + GAP
    group = cluster * len(budgets) + SPACE
    starts = {(bin, n): i * group + j * cluster for i, bin in enumerate(bins) for j, n in enumerate(budgets)}
    for place, (method, style) in enumerate(styles.items()):
        rows = df[df["method"] == method]
        at = [starts[key] + place for key in zip(rows["bin"], rows["n"], strict=True)]
        ax.bar(at, rows["accuracy"], width=0.92, color=style.colour, label=style.label, zorder=2)
        ax.vlines(at, rows["low"], rows["high"], color="#333333", linewidth=0.9, zorder=3)
    middle = (len(styles) - 1) / 2
    ax.set_xticks([start + middle for start in starts.values()], [f"{n}" for _, n in starts], fontsize=7.5)
    ax.tick_params(axis="x", length=0)
    ax.grid(False, axis="x")
    for i, bin in enumerate(bins):
        count = int(df.loc[df["bin"] == bin, "n_problems"].max())
        ax.annotate(f"{bin}\n{count} problems", (i * group + (group - SPACE - GAP) / 2 - 0.5, 0), (0, -17),
                    xycoords=("data", "axes fraction"), textcoords="offset points", ha="center", va="top",
                    fontsize=8.5, color="#333333", linespacing=1.35)  # fmt: skip
    ax.set_xlim(-1.2, len(bins) * group - SPACE)
    ax.set_xlabel("N, and below it the difficulty (1 = easiest)", labelpad=36)
    ax.set_ylim(0, 1.02)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}"))
    ax.set_ylabel("Accuracy (%)")
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax
