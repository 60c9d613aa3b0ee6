"""How well difficulty predicted by the PRM agrees with that of the references (Snell et al., 2024, section 3.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from scipy.stats import kendalltau, spearmanr

from analysis.drawing.tiles import tiles
from analysis.estimates.bins import Estimates, estimates, largest, quantiles
from analysis.estimates.pool import Floats
from analysis.figures.figure import Panel
from analysis.runs.load import Records, RecordsError

STATISTICS: dict[str, Callable[[Floats, Floats], float]] = {
    "Spearman's rho": lambda a, b: float(spearmanr(a, b).statistic),
    "Kendall's tau-b": lambda a, b: float(kendalltau(a, b).statistic),
}
COLOURS = dict(zip(STATISTICS, ("#0072B2", "#D55E00"), strict=True))
LEAST = 4  # problems that a rank correlation with an interval takes


@dataclass(frozen=True, slots=True)
class Agreement:
    """Predicted bins against oracle bins, and their rank correlation against the number of samples of the prediction.

    name: of the files. bins: how many. samples: of the prediction in the table of bins (None: the whole pool).
    own: take the oracle from the same pool as the prediction, in-sample: the two then share the luck of its samples.
    resamples: of the intervals, over problems.
    """

    name: str
    bins: int
    samples: int | None
    own: bool
    resamples: int

    def panels(self, records: Records) -> Sequence[Panel]:
        pools = largest(records, "predicted")
        seeds, ids = sorted(pools), _shared(list(pools.values()))
        oracle = estimates(records, ids, seeds, "oracle", own=self.own)
        predicted = estimates(records, ids, seeds, "predicted", self.samples, own=True)
        note = f"{len(ids)} problems, {len(seeds)} seeds; oracle from the pool of {_source(self.own)}"
        table, curve = _confusion(oracle, predicted, self.bins), self._curve(records, ids, seeds, oracle)
        intervals = f"{note}; 95% bootstrap intervals over problems"
        return [
            Panel(f"{self.name}_bins", "Problems by oracle and predicted bin", table, confusion, note, (4.6, 3.9)),
            Panel(f"{self.name}_vs_samples", "Agreement against samples", curve, correlations, intervals),
        ]

    def _curve(self, records: Records, ids: Sequence[str], seeds: Sequence[int], oracle: Estimates) -> pd.DataFrame:
        rows: list[dict[str, object]] = []
        size = estimates(records, ids, seeds, "predicted", own=True).samples
        for samples in sorted({*(2**i for i in range(size.bit_length())), size}):
            predicted = estimates(records, ids, seeds, "predicted", samples, own=True)
            costs = {"tokens": predicted.tokens, "flops": predicted.flops, "n_problems": len(ids), "seeds": len(seeds)}
            rows += ({"samples": samples, **row, **costs} for row in _correlated(oracle, predicted, self.resamples))
        return pd.DataFrame(rows)


def _shared(pools: Sequence[Records]) -> list[str]:
    """The problems with a reference that all pools have."""
    found = [set(pool.problems.loc[pool.problems["correct"].notna(), "problem_id"]) for pool in pools]
    shared = sorted(set.intersection(*found)) if found else []
    if len(shared) < LEAST:
        raise RecordsError(
            f"{len(pools)} finished best-of-N runs with scores share {len(shared)} problems with a reference, "
            f"fewer than {LEAST}"
        )
    return shared


def _source(own: bool) -> str:
    return "the same seed, in-sample" if own else "the other seeds"


def _confusion(oracle: Estimates, predicted: Estimates, bins: int) -> pd.DataFrame:
    """oracle, predicted (bins), count: problems, summed over seeds; with zeros."""
    pairs = quantiles(oracle, bins).table.merge(quantiles(predicted, bins).table, on=["seed", "problem_id"])
    counts = pairs.groupby(["bin_x", "bin_y"]).size()
    every = pd.MultiIndex.from_product([range(1, bins + 1)] * 2, names=["oracle", "predicted"])
    return counts.reindex(every, fill_value=0).rename("count").reset_index()


def _correlated(oracle: Estimates, predicted: Estimates, resamples: int) -> Iterator[dict[str, object]]:
    """Mean over seeds, and percentile intervals over resampled problems; a resample in which all tie counts as 0."""
    a, b = (one.table.pivot(index="seed", columns="problem_id", values="value") for one in (oracle, predicted))
    left, right = a.to_numpy(np.float64), b[a.columns].to_numpy(np.float64)
    rng = np.random.default_rng(0)
    draws = [np.arange(left.shape[1]), *rng.integers(left.shape[1], size=(resamples, left.shape[1]))]
    for name, statistic in STATISTICS.items():
        values = [_mean(statistic, left[:, draw], right[:, draw]) for draw in draws]
        low, high = np.quantile(values[1:], (0.025, 0.975))
        yield {"statistic": name, "value": values[0], "low": float(low), "high": float(high)}


def _mean(statistic: Callable[[Floats, Floats], float], left: Floats, right: Floats) -> float:
    tied = [bool(np.ptp(x) == 0 or np.ptp(y) == 0) for x, y in zip(left, right, strict=True)]
    return float(np.mean([0.0 if same else statistic(x, y) for x, y, same in zip(left, right, tied, strict=True)]))


def confusion(ax: Axes, df: pd.DataFrame) -> Axes:
    """Rows oracle, columns predicted; shade and words are counts."""
    counts = df.pivot(index="oracle", columns="predicted", values="count")
    tiles(ax, counts, [[f"{count}" for count in row] for row in counts.to_numpy()], (0.0, float(counts.max().max())))
    ax.set(xlabel="Predicted bin (1 = easiest)", ylabel="Oracle bin")
    return ax


def correlations(ax: Axes, df: pd.DataFrame) -> Axes:
    for name, colour in COLOURS.items():
        rows = df[df["statistic"] == name].sort_values("samples")
        ax.plot(rows["samples"], rows["value"], "o-", color=colour, label=name)
        ax.fill_between(rows["samples"], rows["low"], rows["high"], color=colour, alpha=0.13, linewidth=0)
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_locator(FixedLocator(sorted(df["samples"].unique())))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:.0f}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set(
        xlabel="Samples of the prediction", ylabel="Rank correlation with pass@1", ylim=(min(0.0, df["low"].min()), 1)
    )
    ax.legend(loc="lower right")
    return ax
