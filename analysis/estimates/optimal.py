"""Compute-optimal scaling: at every n the best method for each bin of difficulty (Snell et al., 2024, section 3.2).

The choice is cross-fitted: inside each bin the problems are dealt into two folds, the method is chosen on one and
reported on the other, and the other way round; this is averaged over a few deals, because with small bins one deal is a
matter of luck. Choosing and reporting on the same problems (`in_sample`) is biased upward, the more so the smaller the
bins and the more methods there are. The best fixed method is chosen by the same procedure with all problems in one bin,
so that the two differ in the bins alone.

A budget of n need not be spent: the choice at n is among all methods at any smaller n that was run as well. So no curve
falls where a method was not run, and what there is to choose from only grows with n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import product

import numpy as np
import pandas as pd

from analysis.estimates import evaluate
from analysis.estimates.bins import Bins
from analysis.estimates.pool import INDEPENDENT, Bools, Floats, Ints
from analysis.runs.load import RecordsError
from ttcs.records.interval import RESAMPLES, Interval, interval, shares

LEAST = 4  # problems in a bin: two folds of two
DEALS = 8
TIE = 1e-12
COUNTED = ("n", "generations")  # of which n independent samples have n
MATCHES = (*COUNTED, "tokens", "flops")
CELLS = ["n", "bin", "method", "size", "accuracy", "low", "high", "n_problems", "chosen"]


@dataclass(frozen=True, slots=True)
class Grid:
    """What there is to choose from with a budget of n, the cheapest first. Arrays of shape (problems, seeds, methods).

    methods, sizes: the names, and the n, at most that of the budget, that each was run with; a name is there once for
    each of its n.
    """

    n: int
    methods: tuple[str, ...]
    sizes: tuple[int, ...]
    problems: tuple[str, ...]
    seeds: tuple[int, ...]
    correct: Floats
    tokens: Floats
    flops: Floats

    def place(self, method: str) -> int | None:
        """Where the method is with all of n; None: it was not run there."""
        pairs = list(zip(self.methods, self.sizes, strict=True))
        return pairs.index((method, self.n)) if (method, self.n) in pairs else None


def grids(estimates: pd.DataFrame, methods: Sequence[str] | None = None, match: str = "n") -> list[Grid]:
    """Estimates of `evaluate` -> a grid per n, over the seeds that all methods up to there have.

    methods: the candidates, with their variants (None: all but pass@n). Greedy is the same in every seed. Runs that are
    compute-optimal themselves are no candidates. match: what a candidate may not have more of than n independent
    samples, n | generations | tokens | flops, besides no more candidates; a budget too small for all is left out.
    """
    if match not in MATCHES:
        raise RecordsError(f"match={match}: there are {', '.join(MATCHES)}")
    known = evaluate.chosen(estimates, methods)
    known = known[known["strategy"] != "compute_optimal"]
    if known.empty:
        raise RecordsError("the records hold no method to choose from")
    sizes = sorted({int(n) for n in known["n"]})
    affordable = {n: _within(known[known["n"] <= n], match, _budget(estimates, match, n)) for n in sizes}
    found = [_grid(n, rows) for n, rows in affordable.items() if len(rows)]
    if not found:
        raise RecordsError(f"no method is within the {match} of as many independent samples at any n")
    return found


def _budget(estimates: pd.DataFrame, match: str, n: int) -> float:
    """What n independent samples cost, the PRM read; in proportion where they were not run with n."""
    if match in COUNTED:
        return float(n)
    samples = estimates[estimates["strategy"].isin(INDEPENDENT) & (estimates["n"] <= n)]
    if samples.empty:
        raise RecordsError(f"match={match} takes runs of best-of-N, as n of their samples are the budget")
    largest = int(samples["n"].max())
    means = samples[samples["n"] == largest].groupby("method")[match].mean()
    return float(means.max()) * n / largest


def _within(rows: pd.DataFrame, match: str, budget: float) -> pd.DataFrame:
    """The methods that cost no more, with each n, and those whose cost is not on record."""
    means = rows.groupby(["method", "n"])[match].transform("mean")
    return rows[~(means > budget * (1 + 1e-9))]  # means of what is equal differ by rounding


def _grid(n: int, rows: pd.DataFrame) -> Grid:
    seeds = sorted({int(seed) for seed in rows["seed"]})
    rows = greedy_in(rows, seeds).drop_duplicates(["method", "n", "seed", "problem_id"])
    shared = sorted(set.intersection(*rows.groupby(["method", "n"])["seed"].agg(set)))
    if not shared:
        raise RecordsError(f"the methods up to n={n} have no seed in common, so there is none to choose from")
    problems, candidates = sorted(set(rows["problem_id"])), _by_cost(rows)
    index = [(id, seed, *one) for id in problems for seed in shared for one in candidates]
    table = rows.set_index(["problem_id", "seed", "method", "n"])[["correct", "tokens", "flops"]].reindex(index)
    shape = len(problems), len(shared), len(candidates)
    values = (table[column].to_numpy(np.float64).reshape(shape) for column in table)
    names, sizes = zip(*candidates, strict=True)
    return Grid(n, names, sizes, tuple(problems), tuple(map(int, shared)), *values)


def greedy_in(rows: pd.DataFrame, seeds: Sequence[int]) -> pd.DataFrame:
    """Greedy as a run of each of `seeds`: it is the same in every one."""
    fixed = rows[rows["strategy"] == "greedy"].drop_duplicates(["method", "problem_id"])
    return pd.concat([rows[rows["strategy"] != "greedy"], *(fixed.assign(seed=seed) for seed in seeds)])


def _by_cost(rows: pd.DataFrame) -> list[tuple[str, int]]:
    """Methods and their n: a tie goes to the cheaper one, and without costs on record to the smaller n."""
    means = rows.groupby(["n", "method"])[["flops", "tokens"]].mean()
    return [(str(name), int(n)) for n, name in means.sort_values(["flops", "tokens"], kind="stable").index]


def members(grid: Grid, bins: Bins) -> Ints:
    """The bin of each problem in each seed, (problems, seeds); RecordsError where a bin is too small for two folds."""
    table = bins.table.pivot(index="problem_id", columns="seed", values="bin")
    found: Ints = table.reindex(index=list(grid.problems), columns=list(grid.seeds)).to_numpy(np.int64)
    for bin_ in np.unique(found):
        size = int((found == bin_).any(axis=1).sum())
        if size < LEAST:
            raise RecordsError(
                f"bin {bin_} ({bins.estimates.difficulty}) holds {size} of {len(grid.problems)} problems, fewer than "
                f"the {LEAST} that two folds need: take fewer bins or more problems"
            )
    return found


def folds(problems: Sequence[str], inside: Bools, deal: int = 0) -> tuple[Bools, Bools]:
    """Two halves of the problems that are `inside` a bin, by a hash of their ids: the same in every seed and run."""
    chosen = np.flatnonzero(inside).tolist()
    order = sorted(chosen, key=lambda i: blake2b(f"{deal}/{problems[i]}".encode(), digest_size=8).digest())
    first, second = np.zeros_like(inside), np.zeros_like(inside)
    first[order[::2]], second[order[1::2]] = True, True
    return first, second


def outcome(grid: Grid, member: Ints, shares: Floats, in_sample: bool = False) -> Floats:
    """Accuracy, tokens and FLOPs of choosing a method per bin; for each row of shares (of the problems), (rows, 3).

    The choice is made anew in every row, so that an interval over resamples holds its uncertainty too.
    """
    everywhere = _best(shares @ grid.correct.mean(axis=1))
    total = np.zeros((len(shares), 3))
    deals = [(member == bin_, deal) for bin_ in np.unique(member) for deal in range(1 if in_sample else DEALS)]
    for inside, deal in deals:
        for choosing, reporting in _halves(grid.problems, inside, deal, in_sample):
            drawn = shares @ choosing.sum(axis=1) > 0
            # A resample may have drawn none of the problems to choose on.
            best = np.where(drawn, _best(_sums(shares, grid.correct, choosing)), everywhere)[:, None]
            for column, values in enumerate((grid.correct, grid.tokens, grid.flops)):
                total[:, column] += np.take_along_axis(_sums(shares, values, reporting), best, axis=1)[:, 0]
    return total / len(grid.seeds) / (1 if in_sample else DEALS)


def reported(grid: Grid, member: Ints) -> Floats:
    """Correctness, tokens and FLOPs of what is chosen for each problem in each seed, (3, problems, seeds).

    Cross-fitted: means over the deals, in every one of which a problem is reported on once.
    """
    found, everyone = np.zeros((3, *member.shape)), np.ones((1, len(member)))
    for bin_, deal in product(np.unique(member), range(DEALS)):
        for choosing, reporting in _halves(grid.problems, member == bin_, deal, False):
            best = int(_best(_sums(everyone, grid.correct, choosing))[0])
            for row, values in zip(found, (grid.correct, grid.tokens, grid.flops), strict=True):
                row += np.where(reporting, values[:, :, best], 0.0)
    return found / DEALS


def _halves(problems: Sequence[str], inside: Bools, deal: int, in_sample: bool) -> list[tuple[Bools, Bools]]:
    """Where to choose and where to report, (problems, seeds)."""
    if in_sample:
        return [(inside, inside)]
    anywhere: Bools = np.any(inside, axis=1)
    first, second = (inside & half[:, None] for half in folds(problems, anywhere, deal))
    return [(first, second), (second, first)]


def _sums(shares: Floats, values: Floats, where: Bools) -> Floats:
    """Weighted sum over problems and seeds `where`, (rows, methods)."""
    total: Floats = shares @ (values * where[:, :, None]).sum(axis=1)
    return total


def _best(sums: Floats) -> Ints:
    best: Ints = np.argmax(sums >= sums.max(axis=1, keepdims=True) - TIE, axis=1)
    return best


def curve(
    grid: Grid, member: Ints, in_sample: bool = False, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, float]:
    """One row: accuracy, costs, and the paired differences to the best fixed method and to weighted best-of-N.

    Differences carry `_low` and `_high`; to weighted best-of-N they are nan where it was not run with all of this n.
    """
    drawn = np.vstack(
        [np.full(len(grid.problems), 1 / len(grid.problems)), shares(len(grid.problems), resamples, seed)]
    )
    chosen = outcome(grid, member, drawn, in_sample)
    fixed = outcome(grid, np.ones_like(member), drawn, in_sample)[:, 0]
    weighted = np.full(len(drawn), np.nan)
    if (place := grid.place("weighted")) is not None:
        weighted = drawn @ grid.correct[:, :, place].mean(axis=1)
    accuracy = _interval(chosen[:, 0])
    row = {"n": grid.n, "accuracy": accuracy.mean, "low": accuracy.low, "high": accuracy.high}
    row |= {"tokens": chosen[0, 1], "flops": chosen[0, 2], "fixed": fixed[0]}
    for name, other in (("over_fixed", fixed), ("over_weighted", weighted)):
        gain = _interval(chosen[:, 0] - other)
        row |= {name: gain.mean, f"{name}_low": gain.low, f"{name}_high": gain.high}
    return row


def _interval(values: Floats) -> Interval:
    """The first value, and the ends of the others."""
    low, high = np.quantile(values[1:], (0.025, 0.975))
    return Interval(float(values[0]), float(low), float(high))


def cells(grid: Grid, member: Ints) -> pd.DataFrame:
    """n, bin, method, size, accuracy, low, high, n_problems, chosen: the choice on all problems of a bin.

    size: the n of the method, where that of the budget need not be spent.

    This is what a new problem is served with. The accuracy of the chosen method is in-sample.
    """
    rows = []
    for bin_ in np.unique(member):
        inside = member == bin_
        whose = inside.any(axis=1)
        means = (grid.correct * inside[:, :, None]).sum(axis=1)[whose] / inside.sum(axis=1)[whose, None]
        best = int(_best(means.mean(axis=0)[None])[0])
        for k, (name, size) in enumerate(zip(grid.methods, grid.sizes, strict=True)):
            rows.append((grid.n, int(bin_), name, size, *interval(means[:, k]), len(means), k == best))
    return pd.DataFrame(rows, columns=CELLS)
