"""The figure of one run: its accuracy at every n that it holds, under every selection."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.drawing import draw
from analysis.drawing.style import look
from analysis.estimates import evaluate
from analysis.estimates.pool import width
from analysis.figures.figure import Panel
from analysis.runs.load import Records, RecordsError, load


@dataclass(frozen=True, slots=True)
class Curve:
    """Majority, best-of-N, weighted best-of-N and pass@N of one run; its own selection alone where it is one whole."""

    def panels(self, records: Records) -> Sequence[Panel]:
        if len(records.runs) != 1:
            raise RecordsError(f"{len(records.runs)} runs, where the folder of one was expected")
        table = evaluate.summary(single(records))
        strategy = str(records.runs["strategy"].iloc[0])
        name = "Best-of-N" if strategy == "best_of_n" else look(strategy).label
        against = "against N" if table["n"].nunique() > 1 else f"at N = {table['n'].iloc[0]}"
        return [Panel("accuracy", f"{name}: accuracy {against}", table, draw.accuracy_vs_n)]


def single(records: Records) -> pd.DataFrame:
    """The estimates of one run, with every selection as a method of its own where it can be cut up."""
    if width(records) is None:
        return evaluate.own(records)
    estimates = evaluate.nested(records)
    return estimates.assign(method=estimates["selection"])


def accuracy_vs_n(run_dir: Path) -> Path:
    """accuracy.png and accuracy.csv of one run, in its folder.

    A shard's is a run like any other; and how many problems were graded, the run says itself.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r".*: of \d+ shards there is no number")
        warnings.filterwarnings("ignore", r"\d+ problems without a reference answer left out")
        (panel,) = Curve().panels(load(run_dir))
    return panel.save(run_dir, ["png"])[0]
