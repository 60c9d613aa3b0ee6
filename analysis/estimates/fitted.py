"""The fitted table: the best method of every bin and n, as JSON that `strategy=compute_optimal` reads.

The format is that of ttcs/choice/optimal.py and docs/compute_optimal.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import OmegaConf

from analysis.drawing import save
from analysis.estimates import optimal
from analysis.estimates.bins import Bins
from analysis.estimates.optimal import Grid
from analysis.estimates.pool import INDEPENDENT
from analysis.runs.load import Records, RecordsError
from ttcs.choice.optimal import SCHEMA
from ttcs.config.paths import opened


@dataclass(frozen=True, slots=True)
class Fitted:
    """An output of a figure: `<name>.json`."""

    name: str
    content: Mapping[str, Any]
    text: str = ""

    def save(self, folder: Path, formats: Sequence[str]) -> list[Path]:
        fields = ",\n".join(f"{json.dumps(key)}: {_lines(value)}" for key, value in self.content.items())
        return [save.text(folder / f"{self.name}.json", f"{{\n{fields}\n}}\n")]


def _lines(value: Any) -> str:
    """JSON with a line for each element of a list."""
    if not isinstance(value, list):
        return json.dumps(value, allow_nan=False)
    return "[\n" + ",\n".join(json.dumps(element, allow_nan=False) for element in value) + "\n]"


def fit(name: str, records: Records, estimates: pd.DataFrame, bins: Bins, grids: Sequence[Grid]) -> Fitted:
    """grids: of methods that all end with the same selection, which is that of the runs that use the table."""
    methods = _methods(estimates, grids)
    (selection,) = selections(estimates, grids)
    config = _config(records.runs.iloc[0])
    runs = records.runs[records.runs["strategy"].isin({rows["strategy"].iloc[0] for rows in methods.values()})]
    return Fitted(
        name,
        {
            "schema": SCHEMA,
            "policy": _model(config, "policy"),
            "prm": _model(config, "prm"),
            "selection": selection,
            "difficulty": bins.estimates.difficulty,
            "samples": bins.estimates.samples,
            "bins": list(_bins(bins)),
            "methods": {method: _strategy(records, rows) for method, rows in methods.items()},
            "cells": [cell for before, grid in pairwise([None, *grids]) for cell in _cells(before, grid, bins)],
            "provenance": {
                "dataset": _model(config, "dataset"),
                "problems": len(grids[0].problems),
                "seeds": list(grids[0].seeds),
                "runs": sorted(runs["run"]),
                "note": "accuracy is in-sample: of the problems that the method of the cell was chosen on",
            },
        },
    )


def selections(estimates: pd.DataFrame, grids: Sequence[Grid]) -> set[str]:
    """What the candidates end with; greedy, with its one candidate, ends with any."""
    rows = pd.concat(_methods(estimates, grids).values())
    return {str(name) for name in rows.loc[rows["strategy"] != "greedy", "selection"]}


def _methods(estimates: pd.DataFrame, grids: Sequence[Grid]) -> dict[str, pd.DataFrame]:
    """Name -> its estimates."""
    names = dict.fromkeys(method for grid in grids for method in grid.methods)
    return {name: estimates[estimates["method"] == name] for name in names}


def _bins(bins: Bins) -> Iterator[dict[str, Any]]:
    """The bins that hold problems, easiest first, each with the least value in it (null: whatever is left)."""
    sizes = bins.table.groupby("bin")["problem_id"].nunique()
    for bin_ in sizes.index:
        at = None if bin_ == sizes.index[-1] else bins.thresholds[len(bins.thresholds) - int(bin_)]
        yield {"bin": int(bin_), "at_least": at, "problems": int(sizes[bin_])}


def _cells(before: Grid | None, grid: Grid | None, bins: Bins) -> Iterator[dict[str, Any]]:
    """The accuracies are those of what is a candidate from this n on: the others are in the cells of a smaller one.

    before: the grid of the n before (None: this is the first).
    """
    assert grid is not None
    old = set() if before is None else set(zip(before.methods, before.sizes, strict=True))
    for bin_, rows in optimal.cells(grid, optimal.members(grid, bins)).groupby("bin"):
        choice = rows[rows["chosen"]].iloc[0]
        yield {
            "n": grid.n,
            "bin": int(str(bin_)),
            "method": str(choice["method"]),
            "size": int(choice["size"]),
            "problems": int(rows["n_problems"].iloc[0]),
            "accuracy": {
                str(row["method"]): [round(float(row[column]), 4) for column in ("accuracy", "low", "high")]
                for _, row in rows.iterrows()
                if (row["method"], row["size"]) not in old
            },
        }


def _strategy(records: Records, rows: pd.DataFrame) -> dict[str, Any]:
    """The node that builds it. n: null, the place of what is left of the budget.

    width: null where it is the square root of n: nothing else differs between runs of one method
    (analysis.runs.variants).
    """
    runs, row = records.runs, rows.iloc[0]
    if row["strategy"] in INDEPENDENT:
        return {"_target_": "ttcs.strategies.best_of_n.BestOfN", "n": None}
    same = runs[(runs["strategy"] == row["strategy"]) & (runs["settings"] == row["settings"])]
    node: dict[str, Any] = _config(same.iloc[0])["strategy"]
    left = {"n", "width"} if rows["settings"].nunique() > 1 else {"n"}
    return {key: None if key in left else value for key, value in node.items()}


def _model(config: Mapping[str, Any], group: str) -> str:
    """What tells a model from another: where it lies, or what simulates it."""
    node = config.get(group)
    if not isinstance(node, Mapping):
        raise RecordsError(f"the configuration of the runs does not say what {group} is, so no table can be fitted")
    return str(next(node[key] for key in ("model", "path", "name", "_target_") if node.get(key)))


def _config(run: pd.Series) -> dict[str, Any]:
    content = OmegaConf.to_container(OmegaConf.load(opened(run["path"]) / "config.yaml"), resolve=True)
    assert isinstance(content, dict)
    return {str(key): value for key, value in content.items()}
