"""One look for all figures: a colour and a marker per method, fixed, from the Okabe-Ito colour-blind-safe palette."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal
from zlib import crc32

RC: Any = {
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "savefig.bbox": "tight",
    "font.family": "sans-serif",
    "font.size": 9.5,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.titlepad": 20,
    "axes.labelcolor": "#333333",
    "axes.edgecolor": "#888888",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.8,
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "lines.linewidth": 1.8,
    "lines.markersize": 5.5,
    "legend.frameon": False,
    "pdf.fonttype": 42,
}
Line = Literal["-", "--", "-.", ":"]
SIZE = (6.2, 3.9)  # inches


@dataclass(frozen=True, slots=True)
class Look:
    """How a method is drawn, in every figure. rank orders rows and legends."""

    label: str
    colour: str
    marker: str
    line: Line = "-"
    rank: int = 50
    size: float = 5.5


LOOKS = {
    "greedy": Look("Greedy", "#000000", "*", "--", 0, 10),
    "majority": Look("Majority", "#0072B2", "o", rank=1),
    "best": Look("Best-of-N", "#E69F00", "s", rank=2),
    "weighted": Look("Weighted best-of-N", "#009E73", "D", rank=3),
    "beam_search": Look("Beam search", "#D55E00", "^", rank=4, size=7),
    "dvts": Look("DVTS", "#CC79A7", "v", rank=5, size=7),
    "lookahead": Look("Lookahead", "#56B4E9", "P", rank=6, size=7),
    "pass": Look("Pass@N (any right)", "#8a8a8a", ".", ":", 9, 7),
}
DETAIL: tuple[Line, ...] = ("--", "-.", ":")  # for the variants of a method
SPARE = ("#332288", "#882255", "#117733", "#999933")  # for strategies this file does not know


def look(method: str) -> Look:
    """The look of `strategy`, `strategy/selection` or `strategy (settings)`; stable for names it has never seen."""
    if method in LOOKS:
        return LOOKS[method]
    name, _, settings = method.partition(" (")
    base, _, selection = name.partition("/")
    label = base.replace("_", " ").capitalize()
    known = LOOKS.get(base) or Look(label, SPARE[crc32(base.encode()) % len(SPARE)], "X")
    detail = ", ".join(part for part in (selection, settings.removesuffix(")")) if part)
    if not detail:
        return known
    return replace(known, label=f"{known.label} ({detail})", line=DETAIL[crc32(detail.encode()) % len(DETAIL)])
