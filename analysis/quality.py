"""A model card's figures: how good a policy and its verifier are, from independent samples and a greedy run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from analysis import estimate
from analysis.bootstrap import Interval, interval
from analysis.load import Records, RecordsError, load
from analysis.pool import Floats
from analysis.reduction import rescore

RESAMPLES = 500


def auc(scores: Floats, correct: Floats, weights: Floats) -> float:
    """Area under the ROC curve: P(a right candidate scores above a wrong one), ties half; nan without both kinds."""
    order = np.argsort(scores, kind="stable")
    right, wrong = (weights * correct)[order], (weights * (1 - correct))[order]
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])
    right, wrong = np.add.reduceat(right, starts), np.add.reduceat(wrong, starts)
    below = np.cumsum(wrong) - wrong / 2
    mass = float(right.sum() * wrong.sum())
    return float(right @ below) / mass if mass else float("nan")


def auc_interval(candidates: pd.DataFrame, resamples: int = RESAMPLES, seed: int = 0) -> Interval:
    """AUC of the score against correctness over all scored candidates; bootstrap over problems."""
    known = candidates.dropna(subset=["score", "correct"])
    scores, correct = known["score"].to_numpy(np.float64), known["correct"].to_numpy(np.float64)
    problem, names = pd.factorize(known["problem_id"])
    rng = np.random.default_rng(seed)
    draws = (np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names)) for _ in range(resamples))
    values = [auc(scores, correct, draw[problem].astype(np.float64)) for draw in draws]
    low, high = np.nanquantile(values, (0.025, 0.975))
    return Interval(auc(scores, correct, np.ones(len(scores))), float(low), float(high))


def markdown(root: Path) -> str:
    """Greedy, pass@1, majority@n, pass@n and the AUC of the last step's score, over all problems and by level."""
    records = load(Path(root))
    pool = _largest(records, "best_of_n")
    greedy = _largest(records, "greedy").problems
    n = int(pool.runs["n"].iloc[0])
    levels = pool.problems.set_index("problem_id")["level"]
    curve = estimate.curve(pool, at=[1, n])
    rescored = rescore(pool.candidates, "last")
    shown: dict[str, list[str]] = {}
    for name, ids in [("all", levels.index), *((f"level {k}", group.index) for k, group in levels.groupby(levels))]:
        here = curve[curve["problem_id"].isin(ids)]
        chosen = {
            (s, k): here[(here["selection"] == s) & (here["n"] == k)]["correct"]
            for s in ("pass", "majority")
            for k in (1, n)
        }
        shown[name] = [
            str(len(ids)),
            _percent(interval(list(greedy[greedy["problem_id"].isin(ids)]["correct"].astype("float64")))),
            _percent(interval(list(chosen["pass", 1]))),
            _percent(interval(list(chosen["majority", n]))),
            _percent(interval(list(chosen["pass", n]))),
            _plain(auc_interval(rescored[rescored["problem_id"].isin(ids)])),
        ]
    header = ["", "problems", "greedy", "pass@1", f"majority@{n}", f"pass@{n}", "AUC of the PRM's last score"]
    lines = ["| " + " | ".join(header) + " |", "|---|" + "---:|" * (len(header) - 1)]
    return "\n".join([*lines, *("| " + " | ".join([name, *row]) + " |" for name, row in shown.items())]) + "\n"


def _largest(records: Records, strategy: str) -> Records:
    runs = records.runs[(records.runs["strategy"] == strategy) & records.runs["finished"]]
    if runs.empty:
        raise RecordsError(f"no finished run of {strategy}")
    return records.of(runs.sort_values("n", kind="stable")["run"].iloc[-1])


def _percent(mean: Interval) -> str:
    return f"{100 * mean.mean:.1f} ± {50 * (mean.high - mean.low):.1f}"


def _plain(mean: Interval) -> str:
    return f"{mean.mean:.3f} ± {(mean.high - mean.low) / 2:.3f}"
