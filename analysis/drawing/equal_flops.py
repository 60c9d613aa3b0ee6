"""(ax, df) -> ax: pictures of a comparison at equal FLOPs. The columns are those of `analysis.papers.comparison`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from analysis.drawing import draw

NEAR = 3.0  # R between 1 / 3 and 3 is "about 1"
AIR = 1.25  # factor on the budgets at both ends of the axis
DODGE = 1.03  # factor from bin to bin, so that intervals at one c do not hide each other


def colours(bins: Sequence[int]) -> dict[int, str]:
    """From light (the easiest) to dark: an order, unlike the colours of methods."""
    places = np.linspace(0.82, 0.1, max(len(bins), 2))
    return {bin: to_hex(colormaps["viridis"](place)) for bin, place in zip(bins, places, strict=False)}


def accuracy_vs_budget(ax: Axes, df: pd.DataFrame) -> Axes:
    """A line per bin (rows with n), and a star per bin and R (rows with ratio) at its c (but for DODGE), log2 axis.

    Where no line reaches, the ground is grey.
    """
    lines, stars = df[df["n"].notna()], df[df["ratio"].notna()]
    palette = colours(sorted({int(bin) for bin in lines["bin"]}))
    for place, (bin, colour) in enumerate(palette.items()):
        _line(ax, lines[lines["bin"] == bin], colour)
        _stars(ax, stars[stars["bin"] == bin], colour, DODGE ** (place - (len(palette) - 1) / 2))
    ax.set_xscale("log", base=2)
    last, right = float(lines["budget"].max()), float(df["budget"].max()) * AIR
    if stars["budget"].max() > last:
        ax.axvspan(last, right, color="#f3f3f3", zorder=0)
        ax.text(right, 0.01, "not measured ", transform=ax.get_xaxis_transform(), ha="right", va="bottom",
                fontsize=7.5, color="#777777")  # fmt: skip
    for ratio, rows in stars.groupby("ratio"):
        _mark(ax, float(str(ratio)), float(np.exp(np.log(rows["budget"].astype("float64")).mean())))
    return _axes(draw.percent(ax, df), float(df["budget"].min()) / AIR, right, palette)


def relative_change(ax: Axes, df: pd.DataFrame) -> Axes:
    """Per R a bar per bin: by how much test-time compute beats the larger policy, of the latter's accuracy.

    Hatched: the small policy was not measured up to c. A cross: the larger policy solves nothing, or the line begins
    above c.
    """
    ratios, palette = sorted(df["ratio"].unique()), colours(sorted({int(bin) for bin in df["bin"]}))
    low, high = _limits(df)
    for place, (bin, colour) in enumerate(palette.items()):
        rows = df[df["bin"] == bin].set_index("ratio").loc[ratios]
        at = np.arange(len(ratios)) * (len(palette) + 1.5) + place
        bars = ax.bar(at, 100 * rows["relative"].fillna(0), width=0.92, color=colour, zorder=2)
        for bar, budget, used in zip(bars, rows["budget"], rows["used"], strict=True):
            bar.set(hatch="///" if budget > used else None, edgecolor="white", linewidth=0)
        below, above = (100 * rows[end].clip(low, high) for end in ("relative_low", "relative_high"))
        ax.vlines(at, below, above, color="white", linewidth=2.4, zorder=3)
        ax.vlines(at, below, above, color="#333333", linewidth=0.9, zorder=4)
        none = rows["relative"].isna().to_numpy()
        ax.plot(at[none], np.zeros(none.sum()), "x", color="#777777", markersize=5, zorder=3)
    middles = np.arange(len(ratios)) * (len(palette) + 1.5) + (len(palette) - 1) / 2
    ax.set_xticks(middles, [f"R = {ratio:g} ({kind(ratio)})" for ratio in ratios])
    ax.axhline(0, color="#888888", linewidth=1)
    ax.set(ylim=(100 * low, 100 * high), xlabel="R: inference tokens / pretraining tokens")
    ax.set_ylabel("Relative change in accuracy (%)")
    ax.tick_params(axis="x", length=0)
    ax.grid(False, axis="x")
    hatched = [Patch(facecolor="#bbbbbb", edgecolor="white", hatch="///", label="c not reached")]
    handles = [Patch(color=colour, label=_name(bin)) for bin, colour in palette.items()]
    ax.legend(handles=[*handles, *hatched * bool((df["budget"] > df["used"]).any())], loc="center left",
              bbox_to_anchor=(1.01, 0.5))  # fmt: skip
    return ax


def kind(ratio: float) -> str:
    """R as the paper groups it."""
    if ratio < 1 / NEAR:
        return "≪ 1"
    return "≫ 1" if ratio > NEAR else "≈ 1"


def _line(ax: Axes, rows: pd.DataFrame, colour: str) -> None:
    rows = rows.sort_values("budget")
    at, mean, low, high = ([float(v) for v in rows[column]] for column in ("budget", "accuracy", "low", "high"))
    ax.plot(at, mean, "o-", color=colour, markersize=4, zorder=3)
    ax.fill_between(at, low, high, color=colour, alpha=0.13, linewidth=0)


def _stars(ax: Axes, rows: pd.DataFrame, colour: str, dodge: float) -> None:
    at = rows["budget"] * dodge
    ax.vlines(at, rows["low"], rows["high"], color=colour, linewidth=1.1, alpha=0.75, zorder=4)
    ax.plot(at, rows["accuracy"], "*", color=colour, markersize=13, markeredgecolor="#222222",
            markeredgewidth=0.7, zorder=5)  # fmt: skip


def _mark(ax: Axes, ratio: float, budget: float) -> None:
    ax.axvline(budget, color="#999999", linewidth=0.8, linestyle=":", zorder=1)
    ax.text(budget, 0.99, f"R = {ratio:g} \n{kind(ratio)} ", transform=ax.get_xaxis_transform(), ha="right", va="top",
            fontsize=7.5, color="#555555")  # fmt: skip


def _axes(ax: Axes, left: float, right: float, palette: dict[int, str]) -> Axes:
    low, high = ax.get_ylim()
    ax.set(xlim=(left, right), ylim=(low, high + 0.09 * (high - low)))  # room for the names of the R
    ax.xaxis.set_major_locator(FixedLocator([2.0**i for i in range(int(np.log2(right)) + 1)]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda budget, _: f"{budget:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("Budget c (samples of the small policy)")
    handles = [
        Line2D([], [], color=colour, marker="o", markersize=4, label=_name(bin)) for bin, colour in palette.items()
    ]
    star = Line2D([], [], color="#bbbbbb", marker="*", markersize=12, markeredgecolor="#222222", linestyle="none",
                  label="Larger policy,\ngreedy, at equal FLOPs")  # fmt: skip
    ax.legend(handles=[*handles, star], loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax


def _limits(df: pd.DataFrame) -> tuple[float, float]:
    """Hold every bar and every finite interval, but none of those that would make the bars invisible."""
    bars = df["relative"].dropna()
    top, bottom = max(0.1, *bars, 0.0), min(-0.1, *bars, 0.0)
    ends = df[["relative_low", "relative_high"]].replace([np.inf, -np.inf], np.nan)
    high = min(float(np.nanmax([top, ends["relative_high"].max()])), top + (top - bottom))
    low = max(float(np.nanmin([bottom, ends["relative_low"].min()])), bottom - (top - bottom))
    return low - 0.05 * (high - low), high + 0.05 * (high - low)


def _name(bin: int) -> str:
    return f"Bin {bin} (easiest)" if bin == 1 else f"Bin {bin}"
