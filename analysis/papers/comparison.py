"""Test-time compute of a small policy against pretraining of a larger one, bin by bin: the tables of an exchange."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimates import evaluate, optimal
from analysis.estimates.bins import Bins
from analysis.estimates.pool import INDEPENDENT, Floats
from analysis.papers.exchange import Accounting, Pair, read_off, relative_change
from analysis.papers.pair import Larger, Side
from analysis.runs.load import RecordsError
from ttcs.records.interval import Interval, interval

OPTIMAL = "compute_optimal"
WINS = {True: "test-time compute", False: "pretraining"}
STARS = ["bin", "ratio", "budget", "n_problems", "accuracy", "low", "high", "used", "small", "difference",
         "difference_low", "difference_high", "relative", "relative_low", "relative_high", "wins"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bin:
    """The small policy in one bin, its budgets ascending.

    budgets: at each n, in samples of it. correct: (problems, n), means over seeds. sample_flops: of one, no PRM.
    """

    number: int
    ns: tuple[int, ...]
    budgets: tuple[float, ...]
    problems: tuple[str, ...]
    correct: Floats
    sample_flops: float


def line(estimates: pd.DataFrame, method: str, bins: Bins, candidates: Sequence[str] | None = None) -> pd.DataFrame:
    """seed, problem_id, n, correct, tokens, flops of a method, over the seeds that it has at every n.

    compute_optimal: the choice among `candidates` per bin with a budget of n, cross-fitted, unless there are runs of
    that name; its tokens and flops are the budget.
    """
    estimates = optimal.greedy_in(estimates, sorted({int(seed) for seed in bins.table["seed"]}))
    if method == OPTIMAL and OPTIMAL not in set(estimates["strategy"]):
        grids = optimal.grids(estimates, candidates)
        rows = pd.concat([_crossfitted(grid, bins) for grid in grids], ignore_index=True)
    else:
        rows = _of(estimates, method)
    shared = set.intersection(*rows.groupby("n")["seed"].agg(set))
    if not shared:
        raise RecordsError(f"no seed has {method} at every n of {', '.join(map(str, sorted(set(rows['n']))))}")
    return rows[rows["seed"].isin(shared)]


def _of(estimates: pd.DataFrame, method: str) -> pd.DataFrame:
    rows = evaluate.chosen(estimates, [method])
    if len(names := list(dict.fromkeys(rows["method"]))) > 1:
        raise RecordsError(f"method={method} is several ({', '.join(names)}): give runs of one of them alone")
    return rows


def _crossfitted(grid: optimal.Grid, bins: Bins) -> pd.DataFrame:
    """What the method that is best on one half of a bin does on the other half.

    The costs are those of the dearest candidate: what may be spent, although a choice need not. Else the line would
    end where nothing dearer is any better, as if no more had been measured.
    """
    found = optimal.reported(grid, optimal.members(grid, bins))[0]
    index = pd.MultiIndex.from_product([grid.problems, grid.seeds], names=["problem_id", "seed"])
    costs = {"tokens": _dearest(grid.tokens), "flops": _dearest(grid.flops)}
    columns = {name: values.ravel() for name, values in ({"correct": found} | costs).items()}
    return pd.DataFrame(columns, index=index).assign(n=grid.n).reset_index()


def _dearest(costs: Floats) -> Floats:
    """(problems, seeds, methods) -> those of the method with the largest mean; of one without costs on record, nan."""
    dearest: Floats = costs[:, :, int(np.argmax(costs.mean(axis=(0, 1))))]
    return dearest


def split(estimates: pd.DataFrame, of_line: pd.DataFrame, bins: Bins, unit: str) -> Iterator[Bin]:
    """The bins, the easiest first. unit: the column that a budget counts.

    One sample is best-of-N at n = 1, whatever the method.
    """
    samples = estimates[estimates["strategy"].isin(INDEPENDENT) & (estimates["n"] == 1)]
    if samples.empty:
        raise RecordsError("no best-of-N run of the small policy: a sample of it is the unit of the budget")
    member = bins.table[["seed", "problem_id", "bin"]]
    one = samples.drop_duplicates(["seed", "problem_id"]).merge(member, on=["seed", "problem_id"])
    for number, rows in of_line.merge(member, on=["seed", "problem_id"]).groupby("bin"):
        here = one[one["bin"] == number]
        if here[unit].isna().any() or rows[unit].isna().any():
            raise RecordsError(f"the runs of the small policy have no {unit} on record, which a budget is counted in")
        budgets = (rows.groupby("n")[unit].mean() / here[unit].mean()).sort_values(kind="stable")
        values = rows.pivot_table(index="problem_id", columns="n", values="correct", aggfunc="mean")[
            list(budgets.index)
        ]
        yield Bin(
            int(str(number)),
            tuple(int(n) for n in budgets.index),
            tuple(float(budget) for budget in budgets),
            tuple(map(str, values.index)),
            values.to_numpy(np.float64),
            float(here["flops"].mean()),
        )


def curves(bins: Sequence[Bin]) -> pd.DataFrame:
    """bin, n, budget, accuracy, low, high, n_problems of the small policy."""
    rows = [
        (one.number, n, budget, *interval(one.correct[:, k]), len(one.problems))
        for one in bins
        for k, (n, budget) in enumerate(zip(one.ns, one.budgets, strict=True))
    ]
    return pd.DataFrame(rows, columns=["bin", "n", "budget", "accuracy", "low", "high", "n_problems"])


def stars(
    bins: Sequence[Bin], parameters: int, large: Larger, count: Accounting, ratios: Sequence[float]
) -> pd.DataFrame:
    """One row per bin and R: the larger policy at the budget c of equal FLOPs, and the small one there.

    budget: c. accuracy, low, high: of the larger policy. used: the budget at which the small policy was read off: c, or
    the largest measured one where c is beyond (nan: the line begins above c). small: its accuracy there. difference,
    relative (each with _low, _high): small less large, and over large, paired. wins: who is better, by the sign of the
    difference alone; empty where c was not measured and the larger policy leads.
    """
    rows = [_star(one, parameters, large, count, ratio) for ratio in ratios for one in bins]
    return pd.DataFrame(rows, columns=STARS)


def _star(one: Bin, parameters: int, large: Larger, count: Accounting, ratio: float) -> dict[str, Any]:
    other = large.on(one.number, one.problems)
    budget = count.budget(Pair(parameters, large.parameters, one.sample_flops, other.tokens, other.flops), ratio)
    theirs = np.array(other.correct, dtype=np.float64)
    row: dict[str, Any] = {"bin": one.number, "ratio": ratio, "budget": budget, "n_problems": len(one.problems)}
    row |= dict(zip(("accuracy", "low", "high"), _accuracy(other, theirs), strict=True))
    ours = read_off(one.budgets, one.correct, budget)
    if ours is None:
        return row | {"wins": ""}
    measured = budget <= one.budgets[-1]
    difference = interval(ours - theirs)
    row |= {"used": min(budget, one.budgets[-1]), "small": float(ours.mean())}
    row |= _named("difference", difference) | _named("relative", relative_change(ours, theirs))
    return row | {"wins": _winner(difference.mean, measured)}


def _accuracy(other: Side, correct: Floats) -> Interval:
    known = interval(correct)
    return known if other.measured else Interval(known.mean, np.nan, np.nan)


def _named(name: str, values: Interval) -> dict[str, float]:
    return {name: values.mean, f"{name}_low": values.low, f"{name}_high": values.high}


def _winner(difference: float, measured: bool) -> str:
    if difference == 0:
        return "neither" if measured else ""
    return WINS[difference > 0] if measured or difference > 0 else ""
