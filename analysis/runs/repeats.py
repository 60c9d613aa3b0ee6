"""Runs that repeat one another, as those of `dataset.limit=12` and then `dataset.limit=5`: which of them is read."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import pandas as pd


def first(runs: pd.DataFrame, same: Sequence[str], by: Sequence[str] = ("n",)) -> pd.DataFrame:
    """One run for each value of the columns `same`: the largest, and of those as large the one of the most problems.

    by: what makes a run large.
    """
    ordered = runs.sort_values([*by, "problems"], ascending=False, kind="stable")
    return ordered.drop_duplicates(list(same))


def say(runs: pd.DataFrame, kept: pd.DataFrame, same: Sequence[str], by: Sequence[str] = ("n",)) -> None:
    """A warning for each of `runs` that is left out beside one that is kept, as large, or of fewer problems.

    What a smaller run of the same problems would add is in the larger one already.
    """
    for _, run in runs[~runs["run"].isin(kept["run"])].iterrows():
        beside = [other for _, other in kept.iterrows() if _equal(run, other, same)]
        as_large = [other for other in beside if _equal(run, other, by)]
        for other in [*as_large, *(other for other in beside if run["problems"] > other["problems"])][:1]:
            warnings.warn(f"left out {_worded(run)}, which {_worded(other)} stands for", stacklevel=3)


def _equal(a: pd.Series, b: pd.Series, columns: Sequence[str]) -> bool:
    """Unknown is equal to unknown."""
    return all(a[name] == b[name] or (pd.isna(a[name]) and pd.isna(b[name])) for name in columns)


def _worded(run: pd.Series) -> str:
    return f"{run['run']} (n={run['n']}, {run['problems']} problems)"
