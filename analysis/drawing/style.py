"""One look for all figures: a colour and a marker per method, fixed, from the Okabe-Ito colour-blind-safe palette."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from zlib import crc32

from matplotlib.colors import to_hex, to_rgb

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
    "compute_optimal": Look("Compute-optimal", "#332288", "X", rank=7),
    "revisions": Look("Revisions", "#882255", "p", rank=8, size=7),
    "pass": Look("Pass@N (any right)", "#8a8a8a", ".", ":", 9, 7),
    "budget_forcing": Look("Budget forcing", "#CC3311", "h", rank=10, size=7),
    "token_conditional": Look("Token-conditional", "#117733", "<", rank=11, size=6.5),
    "step_conditional": Look("Step-conditional", "#33BBEE", ">", rank=12, size=6.5),
    "class_conditional": Look("Class-conditional", "#AA4499", "8", rank=13, size=6.5),
    "rejection_sampling": Look("Rejection sampling", "#B08000", "d", rank=14, size=7),
    "rebase": Look("REBASE", "#009988", "H", rank=15, size=7),
}
LINES: tuple[Line, ...] = ("-", "--", "-.", ":")  # of the variants of a method
SPARE = ("#332288", "#AA4466", "#117733", "#999933", "#661100", "#44AA99")  # for names this file does not know
MARKERS = "Xph<>8"


def look(method: str) -> Look:
    """The look of `strategy`, `strategy/selection` or `strategy (settings)`; stable for names it has never seen."""
    if method in LOOKS:
        return LOOKS[method]
    base, detail = split(method)
    number = crc32(base.encode()) % len(SPARE)
    label = base[:1].upper() + base[1:].replace("_", " ")
    known = LOOKS.get(base) or Look(label, SPARE[number], MARKERS[number])
    return replace(known, label=f"{known.label} ({detail})") if detail else known


def looks(methods: Sequence[str]) -> dict[str, Look]:
    """The looks of one figure: variants of a method share its colour, in shades and lines of their own."""
    free = iter([*zip(SPARE, MARKERS, strict=True)] * len(methods))
    bases: dict[str, Look] = {}
    seen: Counter[str] = Counter()
    found: dict[str, Look] = {}
    for method in methods:
        base, _ = split(method)
        if base not in bases:
            bases[base] = look(base) if base in LOOKS else _spare(look(base), *next(free))
        found[method] = replace(_variant(bases[base], seen[base]), label=look(method).label)
        seen[base] += 1
    return found


def ordered(methods: Iterable[str]) -> list[str]:
    """Known ones by their rank, variants by name; others as they come, after those."""
    return sorted(methods, key=lambda name: (look(name).rank, name if split(name)[0] in LOOKS else ""))


def split(method: str) -> tuple[str, str]:
    """What a name begins with, and how its variant is told from the others."""
    name, _, settings = method.partition(" (")
    base, _, selection = name.partition("/")
    return base, ", ".join(part for part in (selection, settings.removesuffix(")")) if part)


def _spare(look: Look, colour: str, marker: str) -> Look:
    return replace(look, colour=colour, marker=marker)


def _variant(look: Look, number: int) -> Look:
    """Number 0 as it is, the others nearer to white and with another line."""
    if not number:
        return look
    share = min(0.28 * number, 0.7)
    red, green, blue = (value + (1 - value) * share for value in to_rgb(look.colour))
    line = LINES[(LINES.index(look.line) + number) % len(LINES)]
    return replace(look, colour=to_hex((red, green, blue)), line=line)
