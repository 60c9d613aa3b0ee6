"""(ax, df) -> ax. df has a row per method and x: method, accuracy, low, high (fractions), and the column x names."""

from __future__ import annotations

from dataclasses import replace
from math import ceil, floor, log2

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    EngFormatter,
    FixedLocator,
    FuncFormatter,
    LogFormatterSciNotation,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)

from analysis.drawing.style import Look, looks, ordered

APART = 1.03  # of n, between bars that would lie on each other
SPAN = 0.2  # the least that a y axis covers: a narrower one makes noise look like an effect


def accuracy_vs_n(ax: Axes, df: pd.DataFrame) -> Axes:
    """Accuracy against n, log2 axis."""
    methods(ax, _apart(df), "n")
    ax.set_xscale("log", base=2)
    ticks = [2**i for i in range(int(df["n"].max()).bit_length()) if 2**i >= df["n"].min()]
    ax.xaxis.set_major_locator(FixedLocator(sorted({*ticks, int(df["n"].min()), int(df["n"].max())})))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:.0f}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("N (candidates per problem)")
    return percent(ax, df)


def accuracy_vs_generations(ax: Axes, df: pd.DataFrame) -> Axes:
    """Accuracy against the generation budget of Snell et al. (2024), log2 axis."""
    methods(ax, df, "generations")
    doublings(ax, df["generations"])
    ax.set_xlabel("Generations per problem (N, with lookahead N (k + 1))")
    return percent(ax, df)


def accuracy_vs_tokens(ax: Axes, df: pd.DataFrame) -> Axes:
    """Accuracy against decoded tokens per problem, log axis."""
    methods(ax, df, "tokens")
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("Decoded tokens per problem")
    return percent(ax, df)


def accuracy_vs_flops(ax: Axes, df: pd.DataFrame) -> Axes:
    """Accuracy against the FLOPs of policy and PRM per problem, log axis."""
    methods(ax, df, "flops")
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(LogFormatterSciNotation())
    ax.set_xlabel("FLOPs per problem (policy and PRM)")
    return percent(ax, df)


def accuracy_vs_seconds(ax: Axes, df: pd.DataFrame) -> Axes:
    """Accuracy against seconds of the run per problem, log axis."""
    methods(ax, df, "seconds")
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("Seconds per problem")
    return percent(ax, df)


def accuracy_vs_thinking(ax: Axes, df: pd.DataFrame) -> Axes:
    """Accuracy against thinking tokens per problem, log2 axis.

    With bands: between the runs of a method accuracy is taken to be linear (Muennighoff et al., 2025, section 3.2).
    """
    methods(ax, df.assign(derived=True), "thinking")
    doublings(ax, df["thinking"])
    ax.set_xlabel("Thinking tokens per problem")
    return percent(ax, df)


def doublings(ax: Axes, values: pd.Series) -> None:
    """A log2 x axis that holds the values, with ticks at powers of 2, at most ten of them."""
    low, high = float(values.min()), float(values.max())
    first, last = floor(log2(low)), ceil(log2(high))
    every = 1 + (last - first) // 10
    ax.set_xscale("log", base=2)
    ax.set_xlim(low / 1.15, high * 1.15)
    ax.xaxis.set_major_locator(FixedLocator([2.0**power for power in range(first, last + 1, every)]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda tokens, _: f"{tokens:g}"))
    ax.xaxis.set_minor_locator(NullLocator())


def methods(ax: Axes, df: pd.DataFrame, x: str) -> Axes:
    """A line for each method: with a band where it comes from a larger run, with bars where every point is a run.

    Greedy, which has one n, is also drawn across. A column `label`, if there is one, has what the legend says.
    """
    styles = looks(ordered(df["method"].unique()))
    for name, style in styles.items():
        rows = df[df["method"] == name].sort_values(x)
        _method(ax, replace(style, label=str(rows["label"].iloc[0])) if "label" in rows else style, rows, x)
    ax.autoscale_view()
    return _legend(ax)


def percent(ax: Axes, df: pd.DataFrame) -> Axes:
    """Fractions as percent; the limits hold every interval, and a little air."""
    ends = df[["accuracy", "low", "high"]]
    low, high = float(ends.min().min()), float(ends.max().max())
    air = max(0.04 * (high - low), (SPAN - (high - low)) / 2)
    ax.set_ylim(max(low - air, -0.02), min(high + air, 1.02))
    ax.yaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g}"))
    ax.set_ylabel("Accuracy (%)")
    return ax


def _apart(df: pd.DataFrame) -> pd.DataFrame:
    """Methods with bars stand beside each other at every n, so that none hides another's."""
    barred = ordered({*df["method"]} - {*df.loc[df["derived"].astype(bool), "method"], "greedy"})
    shift = {name: APART ** (place - (len(barred) - 1) / 2) for place, name in enumerate(barred)}
    return df.assign(n=df["n"].astype("float64") * df["method"].map(shift).fillna(1.0))


def _method(ax: Axes, style: Look, rows: pd.DataFrame, x: str) -> None:
    at, mean, low, high = ([float(value) for value in rows[column]] for column in (x, "accuracy", "low", "high"))
    curve = Line2D(at, mean, color=style.colour, marker=style.marker, linestyle=style.line, label=style.label, zorder=3)
    curve.set(markersize=style.size, markeredgecolor="white", markeredgewidth=0.7)
    ax.add_line(curve)
    if len(rows) > 1 and rows["derived"].any():
        ax.fill_between(at, low, high, color=style.colour, alpha=0.13, linewidth=0)
    else:
        ax.vlines(at, low, high, color=style.colour, linewidth=1.3, alpha=0.75, zorder=2)
    if rows["method"].iloc[0] == "greedy":
        ax.axhline(mean[0], color=style.colour, linestyle=style.line, linewidth=0.9, alpha=0.6)


def _legend(ax: Axes) -> Axes:
    """Outside the data, in the order in which the curves end, the highest first."""
    curves = [line for line in ax.lines if not str(line.get_label()).startswith("_")]
    curves.sort(key=lambda line: -float(np.asarray(line.get_ydata())[-1]))
    ax.legend(handles=curves, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax
