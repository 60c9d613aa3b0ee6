"""The table of a compute-optimal search: difficulty and n -> strategy. Fitted by analysis (docs/compute_optimal.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt, lcm
from pathlib import Path
from typing import Any

from ttcs.config.components import build
from ttcs.config.identity import PACKAGE, portable
from ttcs.core import Strategy
from ttcs.errors import UserError

SCHEMA = "ttcs.compute_optimal/1"
ZOO = PACKAGE / "zoo" / "compute_optimal.json"


@dataclass(frozen=True, slots=True)
class Cell:
    """The method of choice with a budget of n.

    size: the n that the method was run with; where it is less than that of the cell, nothing dearer was any better.
    node: the yaml of its strategy; n there is null, the place of what is left, and so is a width that is the root of n.
    """

    n: int
    method: str
    size: int
    node: Mapping[str, Any]

    def strategy(self, n: int) -> Strategy:
        """With its size where that is less than the cell's n, else with all of n that its width or chains divide."""
        spent = n if self.size == self.n else self.size
        width = int(self.node.get("width", 1) or isqrt(spent))
        unit = lcm(width, int(self.node.get("chains", 1)))
        sizes = {"n": spent - spent % unit, "width": width}
        node = {key: sizes.get(key, value) for key, value in self.node.items()}
        strategy: Strategy = build({"strategy": node}, "strategy")
        return strategy


@dataclass(frozen=True, slots=True)
class Bin:
    """at_least: the least mean score of its problems (None: whatever the easier bins leave). cells: ascending in n."""

    at_least: float | None
    cells: tuple[Cell, ...]

    def cell(self, n: int) -> Cell:
        """That of the largest n in the table which is at most `n`."""
        return max((cell for cell in self.cells if cell.n <= n), key=lambda cell: cell.n)


@dataclass(frozen=True, slots=True)
class Table:
    """samples: how many samples the thresholds hold for: the mean of fewer spreads more. bins: the easiest first."""

    path: str
    samples: int
    bins: tuple[Bin, ...]

    def check(self, samples: int, n: int) -> None:
        """UserError unless `samples` of a problem place it in a bin, and every bin has a strategy for n more."""
        if samples != self.samples:
            raise UserError(
                f"strategy.samples={samples}, but the bins of {self.path} are those of the mean over {self.samples}"
            )
        least = max(bin_.cells[0].n for bin_ in self.bins)
        if n < least:
            raise UserError(f"n={n + samples} leaves {n} after {samples} samples; {self.path} begins at {least}")
        for bin_ in self.bins:
            bin_.cell(n).strategy(n)

    def choose(self, difficulty: float, n: int) -> Strategy:
        """difficulty: the mean final score of a problem's samples, higher is easier."""
        found = next(bin_ for bin_ in self.bins if bin_.at_least is None or difficulty >= bin_.at_least)
        return found.cell(n).strategy(n)


def load(path: str | None, policy: str | None = None, prm: str | None = None) -> Table:
    """UserError unless the file is a table of bins that need no references.

    path: None for the zoo's. policy, prm: the models it must have been fitted for (None: any, to see how far a table
    carries).
    """
    file = ZOO if path is None else Path(path)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA:
            raise UserError(f"{file} has the schema {content['schema']}, not {SCHEMA}: fit it again")
        if content["difficulty"] != "predicted":
            raise UserError(f"{file} was fitted to {content['difficulty']} bins, which a search cannot know")
        if content["bins"][-1]["at_least"] is not None:
            raise ValueError("the hardest bin leaves out problems")
        table = Table(str(file), content["samples"], tuple(_bin(content, row) for row in content["bins"]))
        fitted = {"policy": content["policy"], "prm": content["prm"]}
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{file} is not a compute-optimal table ({type(error).__name__}: {error})") from error
    for name, wanted in portable({"policy": policy, "prm": prm}).items():
        if wanted not in (None, fitted[name]):
            raise UserError(
                f"{file} was fitted for the {name} {fitted[name]}, not {wanted}: fit one for it, or take this one all "
                f"the same with strategy.table.{name}=null"
            )
    return table


def _bin(content: Mapping[str, Any], row: Mapping[str, Any]) -> Bin:
    methods, cells = content["methods"], [cell for cell in content["cells"] if cell["bin"] == row["bin"]]
    if not cells:
        raise ValueError(f"bin {row['bin']} has no cells")
    found = (_cell(cell, methods[cell["method"]]) for cell in cells)
    return Bin(row["at_least"], tuple(sorted(found, key=lambda cell: cell.n)))


def _cell(content: Mapping[str, Any], node: Mapping[str, Any]) -> Cell:
    """Tables that are older than `size` chose among what was run with all of n."""
    n, size = content["n"], content.get("size", content["n"])
    if not 1 <= size <= n:
        raise ValueError(f"size={size} is not one of 1 to {n}, the n of its cell")
    return Cell(n, content["method"], size, node)
