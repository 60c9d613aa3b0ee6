"""The figure of one training: its loss, and that on the questions held out, against the tokens it has read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import EngFormatter

from analysis.drawing import save
from analysis.drawing.style import LOOKS, SIZE, Look
from analysis.runs.load import RecordsError

FILE = "curves.csv"
LOSSES = {"loss": ("training", LOOKS["majority"]), "eval_loss": ("questions held out", LOOKS["beam_search"])}


def training_curves(folder: Path) -> Path:
    """curves.png beside the curves.csv of a training. RecordsError where nothing was logged."""
    try:
        table = pd.read_csv(folder / FILE)
    except FileNotFoundError as error:
        raise RecordsError(f"{folder} has no {FILE}") from error
    if table.empty:
        raise RecordsError(f"{folder / FILE} has no step: fewer were trained than stage.arguments.logging_steps")
    last = table.iloc[-1]
    note = f"{last['step']:.0f} steps, {last['tokens']:,.0f} tokens, {last['seconds'] / 60:.1f} minutes; one training"
    picture = folder / "curves.png"
    save.picture([picture], curves, table, "Training loss", note, SIZE)
    return picture


def curves(ax: Axes, df: pd.DataFrame) -> Axes:
    """Losses against tokens; the one on questions held out with a point for every evaluation."""
    for column, (label, look) in LOSSES.items():
        _line(ax, df.dropna(subset=[column]), column, label, look)
    ax.set_xlabel("Tokens trained on")
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    ax.set_ylabel("Loss (nats per label)")
    ax.legend()
    return ax


def _line(ax: Axes, df: pd.DataFrame, column: str, label: str, look: Look) -> None:
    if len(df):
        marker = look.marker if column == "eval_loss" else ""
        ax.plot(df["tokens"], df[column], color=look.colour, marker=marker, label=label)
