"""Files of scores (`python -m ttcs.training stage=evaluate`) -> tables; how well scores agree with labels of steps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.estimates.pool import Floats
from analysis.runs.load import Records, RecordsError
from ttcs.records.interval import RESAMPLES, Interval, shares

COLUMNS = "labels", "scores"  # of numbers, one for each step


def read(records: Records) -> pd.DataFrame:
    """verifier (the name of its folder), question, steps, labels, scores: a row for each solution that was scored.

    steps: tuple of their texts, that of the attempts before them in front. labels, scores: tuples with an element for
    each step, nan where there is none.
    """
    if not records.scores:
        raise RecordsError("no scores.jsonl here or below, which python -m ttcs.training stage=evaluate writes")
    rows = [(file.parent.name, *row) for file in records.scores for row in _rows(file)]
    if not rows:
        raise RecordsError(f"{records.scores[0]}: no solution has been scored yet")
    table = pd.DataFrame(rows, columns=["verifier", "question", "steps", "labels", "scores"])
    folders = {file.parent.name for file in records.scores}
    if len(folders) < len(records.scores):
        raise RecordsError(
            f"{len(records.scores)} files of scores of {len(folders)} names: {', '.join(sorted(folders))}"
        )
    return table


def steps(table: pd.DataFrame) -> pd.DataFrame:
    """verifier, question, label, score: a row for each step that has both."""
    pairs = table.explode(["labels", "scores"]).rename(columns={"labels": "label", "scores": "score"})
    return pairs.astype({"label": "float64", "score": "float64"}).dropna(subset=["label", "score"])


def siblings(table: pd.DataFrame, right: float) -> pd.DataFrame:
    """problem_id (the question), parent, score, right: the different steps of the solutions of one verifier.

    right: the least label of a right step; of a step that several solutions share the largest label counts.
    """
    found: dict[tuple[str, tuple[str, ...]], tuple[float, float]] = {}
    for question, texts, labels, scores in zip(*(table[name] for name in ("question", "steps", *COLUMNS)), strict=True):
        before = len(texts) - len(labels)
        for place, (label, score) in enumerate(zip(labels, scores, strict=True), before + 1 if before >= 0 else 0):
            if before >= 0 and not np.isnan(label):
                key = question, texts[:place]
                found[key] = score, max(label, found.get(key, (score, label))[1])
    rows = [(question, texts[:-1], score, label >= right) for (question, texts), (score, label) in found.items()]
    return pd.DataFrame(rows, columns=["problem_id", "parent", "score", "right"])


def correlation(steps: pd.DataFrame, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """Pearson's r of score and label over all steps; bootstrap over questions (nan: one of them never varies)."""
    x, y = (steps[name].to_numpy(np.float64) for name in ("score", "label"))
    question, names = pd.factorize(steps["question"])
    moments = [np.bincount(question, values) for values in (np.ones(len(x)), x, y, x * x, y * y, x * y)]
    sums = np.stack(moments, axis=1)
    whole = _pearson(sums.sum(axis=0, keepdims=True))
    if len(names) == 1:
        return Interval(float(whole[0]), np.nan, np.nan)
    low, high = np.nanquantile(_pearson(shares(len(names), resamples, seed) @ sums), (0.025, 0.975))
    return Interval(float(whole[0]), float(low), float(high))


def _pearson(sums: Floats) -> Floats:
    """From rows of n, and the sums of x, y, xx, yy, xy."""
    n, x, y, xx, yy, xy = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        r: Floats = (xy / n - x * y / n**2) / np.sqrt((xx / n - (x / n) ** 2) * (yy / n - (y / n) ** 2))
    return r


def _rows(file: Path) -> Iterator[tuple[str, tuple[str, ...], tuple[float, ...], tuple[float, ...]]]:
    """Without the first line, which says how they were made, and without one that a kill has torn."""
    lines = file.read_text(encoding="utf-8").split("\n")[:-1]
    for number, text in enumerate(lines, 1):
        try:
            line = json.loads(text)
            if "settings" not in line:
                labels, scores = (tuple(np.nan if x is None else float(x) for x in line[key]) for key in COLUMNS)
                yield line["question"], (*line.get("attempts", ()), *line.get("steps", ())), labels, scores
        except (ValueError, KeyError, TypeError) as error:
            raise RecordsError(f"{file}:{number}: not a line of scores ({type(error).__name__}: {error})") from error
