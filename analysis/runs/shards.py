"""The jobs of an array are one run: configurations that differ in `dataset.shard` alone (`Part` in problems)."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

import pandas as pd

from ttcs.config.identity import identity


def part(config: Mapping[str, Any]) -> dict[str, Any]:
    """shard, shards, and what tells this part's run from others: everything that can change a result, but the shard."""
    same = identity(config)
    shard = same.pop("dataset.shard", 0)
    shards = same.get("dataset.shards", 1)
    return {"shard": shard, "shards": shards, "whole": json.dumps(same, sort_keys=True, default=str)}


def merged(runs: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """The table of runs with a row for each whole one, and the name each part goes by now: that of the first.

    The seconds of the parts add up: they are what one job would have taken. A run is finished when its parts are.
    """
    parts = runs[runs["shards"] > 1]
    most = parts.sort_values("problems", ascending=False, kind="stable")
    again = parts[parts["run"].isin(most.loc[most.duplicated(["whole", "shard"]), "run"])]
    if len(again):
        warnings.warn(f"the same shard once more, left out: {', '.join(again['run'])}", stacklevel=3)
    rows, names = [runs[runs["shards"] <= 1]], {run: run for run in runs["run"]}
    for _, several in parts.drop(again.index).groupby("whole", sort=False):
        first = several.sort_values("shard").head(1)
        _warn_of_missing(several)
        names |= dict.fromkeys(several["run"], first["run"].iloc[0])
        sums = {name: several[name].sum() for name in ("problems", "wall_seconds")}
        rows.append(first.assign(finished=bool(several["finished"].all()), **sums))
    for run in again["run"]:
        del names[run]
    return pd.concat(rows).sort_index(), names


def _warn_of_missing(several: pd.DataFrame) -> None:
    count = int(several["shards"].iloc[0])
    missing = sorted(set(range(count)) - set(several["shard"]))
    if missing:
        told = ", ".join(map(str, missing))
        warnings.warn(f"{several['run'].iloc[0]}: of {count} shards there is no number {told}", stacklevel=4)
