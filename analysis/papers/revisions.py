"""Many runs of revisions -> one table: every selection on every grid of chains and attempts that the records hold."""

from __future__ import annotations

import re
from functools import lru_cache

import pandas as pd

from analysis.estimates import evaluate
from analysis.estimates.pool import INDEPENDENT
from analysis.papers import chains
from analysis.runs import repeats
from analysis.runs.load import Records, RecordsError
from ttcs.records.interval import RESAMPLES, ratio
from ttcs.records.subsets import RESAMPLES as SUBSETS

CHAINS = re.compile(r"(, )?\bchains=\d+")
FLIPS = {"correct to wrong": True, "wrong to correct": False}  # whether the attempt that is revised was correct


@lru_cache(maxsize=4)  # the figures of one command share it
def grids(records: Records, strategy: str, resamples: int = SUBSETS, seed: int = 0) -> pd.DataFrame:
    """Columns of evaluate.ESTIMATES, chains and attempts: a method for every selection and grid, of powers of two.

    Independent samples are chains of one attempt: the parallel side of the paper. Where several runs of a seed hold the
    same grid, the one with the most chains is read, which holds the most subsets. Nobody may write to the table.
    """
    runs = _runs(records, strategy)
    evaluate.same_setup(runs)
    parts = [_evaluated(records.of(run), resamples, seed) for run in _widest(runs)]
    table = pd.concat(parts, ignore_index=True)
    once = table.drop_duplicates(["seed", "problem_id", "selection", "chains", "attempts"], ignore_index=True)
    name = once["attempts"].astype(str) + ":" + once["chains"].astype(str)
    named = once.assign(strategy=strategy, settings="", method=strategy + "/" + once["selection"] + " (" + name + ")")
    return evaluate.common(named)


def _runs(records: Records, strategy: str) -> pd.DataFrame:
    """The runs of a strategy that have chains, all with the same other settings, and the independent samples."""
    runs = evaluate.finished(records).runs
    ours = runs[runs["strategy"] == strategy]
    ours = ours[[chains.shape(records.of(run)) is not None for run in ours["run"]]]
    if ours.empty:
        there = ", ".join(sorted(set(runs["strategy"])))
        raise RecordsError(f"no run of {strategy} with whole chains of attempts; there are runs of {there}")
    same = ours["settings"].map(lambda text: CHAINS.sub("", text).removeprefix(", "))
    if same.nunique() > 1:
        told = "; ".join(sorted(set(same)))
        raise RecordsError(f"runs of {strategy} with different settings ({told}): give those of one setting alone")
    return pd.concat([ours, runs[runs["strategy"].isin(INDEPENDENT)]])


def _widest(runs: pd.DataFrame) -> list[str]:
    """The runs with the most chains first; of those with as many, the longest."""
    width = runs["chains"].fillna(runs["n"])
    size = ["chains", "n", "problems"]
    return list(runs.assign(chains=width).sort_values(size, ascending=False, kind="stable")["run"])


def _evaluated(run: Records, resamples: int, seed: int) -> pd.DataFrame:
    known = evaluate.graded(run)
    return evaluate.with_costs(chains.grid(known, None, resamples, seed), run)


def _chained(records: Records, strategy: str) -> pd.DataFrame:
    """The runs with chains. A verifier that only selects has no part in what was sampled."""
    runs = _runs(records, strategy)
    evaluate.same_setup(runs, apart="prm")
    return runs[runs["strategy"] == strategy]


def steps(records: Records, strategy: str) -> pd.DataFrame:
    """seed, problem_id, attempt, chains, correct: mean over as many chains, the most that have such an attempt."""
    parts = [_steps(evaluate.graded(records.of(run))) for run in _widest(_chained(records, strategy))]
    return pd.concat(parts).drop_duplicates(["seed", "problem_id", "attempt"], ignore_index=True)


def _steps(run: Records) -> pd.DataFrame:
    """The last attempt of a chain that ended early stands for the rest of it."""
    table = chains.attempts(run)
    wide = table.pivot(index=["problem_id", "subtree"], columns="attempt", values="correct").astype("float64")
    means = wide.ffill(axis=1).groupby(level="problem_id").mean().reset_index()
    row = run.runs.iloc[0]
    return means.melt("problem_id", value_name="correct").assign(seed=row["seed"], chains=row["chains"])


def longest(records: Records, strategy: str) -> list[Records]:
    """Of each seed the run with the longest chains, and of those the one with the most."""
    runs = _chained(records, strategy)
    runs = runs.assign(attempts=runs["n"] // runs["chains"])
    first = repeats.first(runs, ["seed"], by=["attempts", "chains"])
    repeats.say(runs, first, ["seed"], by=["attempts", "chains"])
    return [evaluate.graded(records.of(run)) for run in first["run"]]


def revised(run: Records) -> pd.DataFrame:
    """problem_id, attempt, before, after: for each revision whether it and the attempt it revises are correct.

    That attempt is the latest one it was shown: one that was cut off is not shown, and so is not revised.
    """
    table = chains.attempts(run)
    known = table.set_index(["problem_id", "index"])["correct"].rename("before").astype("boolean")
    pairs = table.dropna(subset=["revises"])[["problem_id", "attempt", "revises", "correct"]]
    found = pairs.merge(known, left_on=["problem_id", "revises"], right_index=True)
    return found.rename(columns={"correct": "after"})[["problem_id", "attempt", "before", "after"]]


def flips(pairs: pd.DataFrame, resamples: int = RESAMPLES) -> pd.DataFrame:
    """kind, attempt (None: all), rate, low, high, pairs, n_problems: how often a revision turns the verdict around."""
    rows = []
    for kind, before in FLIPS.items():
        begun = pairs[pairs["before"] == before]
        groups = [(None, begun), *((int(str(attempt)), rows) for attempt, rows in begun.groupby("attempt"))]
        for attempt, of in groups:
            counts = (of["after"] != before).groupby(of["problem_id"]).agg(["sum", "count"])
            turned, tried = (counts[name].to_numpy(dtype="float64") for name in ("sum", "count"))
            rows.append((kind, attempt, *ratio(turned, tried, resamples), int(tried.sum()), len(counts)))
    return pd.DataFrame(rows, columns=["kind", "attempt", "rate", "low", "high", "pairs", "n_problems"])
