"""G7: a run and the whole curve over n, taken from its records, against the run alone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from analysis.estimates import evaluate
from analysis.figures.curve import single
from analysis.runs.load import load
from benchmarks import zoo
from benchmarks.harness import Effort, Limit, Result, Spread, side, timed
from ttcs.config.components import share
from ttcs.config.identity import portable
from ttcs.records.folder import RECORDS, SUMMARY, claim, write
from ttcs.records.record_file import RecordFile, read
from ttcs.records.summary import Setting, summarize
from ttcs.running.runner import GROUPS
from ttcs.running.session import session

GOAL = Limit(1.02)
N = 256


def searched(folder: Path, name: str, n: int, count: int) -> None:
    """A run as `python -m ttcs` does it: searched, graded, recorded, summed up."""
    config = zoo.configured(f"strategy={name}", f"n={n}", f"dataset.limit={count}")
    with RecordFile(folder / RECORDS) as records:
        claim(folder, portable(config))
        for record in session(config, share(config, "dataset"), 0.0):
            records.append(record)
    choices = dict.fromkeys(GROUPS, "zoo") | {"strategy": name, "selection": "weighted", "reduction": "last"}
    summary = summarize(read(folder / RECORDS), share(config, "difficulty"), Setting(n, 0, **choices))
    write(folder / SUMMARY, summary.to_json())


def curve(folder: Path) -> pd.DataFrame:
    """Accuracy and its interval for every selection at n = 1 (DVTS: 4), ..., 256."""
    return evaluate.summary(single(load(folder)))


def measure(effort: Effort) -> Iterator[Result]:
    n, count = (16, 2) if effort.quick else (N, max(1, effort.problems // 2))
    for name in ("best_of_n", "dvts"):
        both, runs, curves = [], [], []
        for size in (16, *[n] * effort.runs):
            with TemporaryDirectory() as path:
                run = timed(partial(searched, Path(path), name, size, count))
                drawn = timed(partial(curve, Path(path)))
            both.append(((run.wall + drawn.wall) / run.wall, (run.cpu + drawn.cpu) / run.cpu))
            runs.append(run)
            curves.append(drawn)
        del both[0], runs[0], curves[0]  # they warmed up
        wall, cpu = (Spread.of(ratios) for ratios in zip(*both, strict=True))
        sides = {"run": side(runs, {}), "curve": side(curves, {"points": len(curves[0].value)})}
        yield Result("G7", f"{name}: run of n = {n} with its curve / without", wall, GOAL, cpu, sides)
