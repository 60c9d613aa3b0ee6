"""Compute-optimal scaling against the methods it chooses from (Snell et al., 2024, fig. 4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from analysis.drawing.style import look, looks, split
from analysis.drawing.tiles import tiles
from analysis.estimates import evaluate, fitted, optimal
from analysis.estimates.bins import Bins, bins
from analysis.estimates.fitted import Fitted
from analysis.estimates.optimal import Grid
from analysis.figures import accuracy
from analysis.figures.figure import Output, Panel
from analysis.runs.load import Records

AXES = "n", "tokens", "flops"
VERSUS = {"fixed": "best fixed method", "weighted": "weighted best-of-N"}
CHARGED = "estimate charged"


@dataclass(frozen=True, slots=True)
class ComputeOptimal:
    """The best method per bin of difficulty and n, cross-fitted, against n, decoded tokens and FLOPs.

    name: of the files, and of the fitted table. methods: the candidates (None: all whose runs end with `selection`, and
    greedy). baselines: the methods drawn beside it. difficulties: a curve each, of oracle | predicted | annotated.
    bins: how many. samples: the first so many of the pools make the predicted bins (None: all).
    own: bins from the pools that are evaluated (in-sample). in_sample: draw the in-sample choice too.
    selection: what the runs that will use the fitted table end with. match: what candidates at n may not have more of
    than n independent samples: n | generations | tokens | flops.
    """

    name: str
    methods: Sequence[str] | None
    baselines: Sequence[str]
    difficulties: Sequence[str]
    bins: int
    samples: int | None
    own: bool
    in_sample: bool
    selection: str
    match: str = "generations"

    def panels(self, records: Records) -> Sequence[Output]:
        estimates = evaluate.evaluate(records)
        grids = self._grids(estimates)
        cuts = self._cuts(records, grids)
        return [*self._drawn(estimates, grids, cuts), *self._fitted(records, estimates, grids, cuts)]

    def of(self, records: Records, estimates: pd.DataFrame) -> list[Output]:
        """The pictures for methods that are not single runs; for such there is no table that a search could read."""
        grids = self._grids(estimates)
        return self._drawn(estimates, grids, self._cuts(records, grids))

    def _grids(self, estimates: pd.DataFrame) -> list[Grid]:
        return optimal.grids(estimates[self._candidate(estimates)], self.methods, self.match)

    def _cuts(self, records: Records, grids: Sequence[Grid]) -> dict[str, Bins]:
        return {difficulty: self._bins(records, grids, difficulty) for difficulty in self.difficulties}

    def _drawn(self, estimates: pd.DataFrame, grids: Sequence[Grid], cuts: dict[str, Bins]) -> list[Output]:
        curves = pd.DataFrame([row for difficulty in cuts for row in self._rows(grids, cuts[difficulty])])
        there = {split(name)[0] for name in estimates["method"]}
        drawn = evaluate.chosen(estimates, [name for name in self.baselines if name in there])
        table = pd.concat([evaluate.summary(drawn), curves], ignore_index=True)
        gains = Panel(f"{self.name}_gain", "Gain of choosing by difficulty", _gains(curves), gain_vs_n)
        chosen = (self._choices(grids, cut) for cut in cuts.values())
        return [*self._against(table), gains, *chosen]

    def _candidate(self, estimates: pd.DataFrame) -> pd.Series[bool]:
        """Named methods may end with anything; else one selection has to serve all, as it does in a run."""
        if self.methods is not None:
            return pd.Series(True, index=estimates.index)
        return (estimates["selection"] == self.selection) | (estimates["strategy"] == "greedy")

    def _bins(self, records: Records, grids: Sequence[Grid], difficulty: str) -> Bins:
        seeds = sorted({seed for grid in grids for seed in grid.seeds})
        samples = self.samples if difficulty == "predicted" else None
        return bins(records, grids[0].problems, seeds, difficulty, self.bins, samples, self.own)

    def _rows(self, grids: Sequence[Grid], cut: Bins) -> Iterator[dict[str, object]]:
        kind = cut.estimates.difficulty + ", bins from the same samples" * self.own
        for grid in grids:
            member = optimal.members(grid, cut)
            for in_sample in (False, True)[: 1 + self.in_sample]:
                row = optimal.curve(grid, member, in_sample)
                yield {
                    "method": f"compute_optimal ({kind}{', in-sample' * in_sample})",
                    **row,
                    "n_problems": len(grid.problems),
                    "seeds": len(grid.seeds),
                    "derived": False,
                    "estimate_tokens": cut.estimates.tokens,
                    "estimate_flops": cut.estimates.flops,
                }

    def _against(self, table: pd.DataFrame) -> Iterator[Panel]:
        for axis in AXES:
            rows = table if axis == "n" else _with_estimates(table, axis)
            yield from accuracy.curves(rows, self.name, "Compute-optimal scaling", [axis])

    def _choices(self, grids: Sequence[Grid], cut: Bins) -> Panel:
        table = pd.concat([optimal.cells(grid, optimal.members(grid, cut)) for grid in grids], ignore_index=True)
        kind = cut.estimates.difficulty
        note = "chosen on all problems of a bin; the accuracy (%) of what is chosen is in-sample"
        return Panel(f"{self.name}_choice_{kind}", f"The best method per bin ({kind}) and N", table, choices, note)

    def _fitted(
        self, records: Records, estimates: pd.DataFrame, grids: Sequence[Grid], cuts: dict[str, Bins]
    ) -> Iterator[Fitted]:
        """Only predicted bins can be had without references, and a run has only one selection."""
        if "predicted" in cuts and not self.own and len(fitted.selections(estimates, grids)) == 1:
            yield fitted.fit(self.name, records, estimates, cuts["predicted"], grids)


def _with_estimates(table: pd.DataFrame, axis: str) -> pd.DataFrame:
    """The curves of predicted bins once more, moved to the right by what the estimate of the difficulty cost."""
    fair = ~table["method"].str.contains("in-sample", regex=False)
    more = table[fair & table["method"].str.contains("(predicted", regex=False)]
    name = more["method"].str.removesuffix(")") + f", {CHARGED})"
    return pd.concat([table, more.assign(method=name, **{axis: more[axis] + more[f"estimate_{axis}"]})])


def _gains(curves: pd.DataFrame) -> pd.DataFrame:
    """A row per curve, n and what it is compared with."""
    kept = ["method", "n", "n_problems", "seeds"]
    parts = []
    for name, against in VERSUS.items():
        columns = {f"over_{name}": "gain", f"over_{name}_low": "low", f"over_{name}_high": "high"}
        rows = curves[[*kept, *columns]].rename(columns=columns).assign(versus=against)
        parts.append(rows.dropna(subset=["gain"]))
    return pd.concat(parts, ignore_index=True)


def gain_vs_n(ax: Axes, df: pd.DataFrame) -> Axes:
    """Paired differences in percentage points, side by side at every n."""
    styles = looks(list(df["method"].unique()))
    lines = list(df.groupby(["versus", "method"], sort=False))
    for place, ((versus, method), rows) in enumerate(lines):
        at = rows["n"].astype("float64") * 1.05 ** (place - (len(lines) - 1) / 2)
        style = styles[str(method)]
        fill = style.colour if versus == VERSUS["weighted"] else "white"
        ax.vlines(at, 100 * rows["low"], 100 * rows["high"], color=style.colour, linewidth=1.3, alpha=0.75)
        ax.plot(at, 100 * rows["gain"], style.marker, color=style.colour, markerfacecolor=fill,
                markersize=style.size, label=f"{style.label}\nminus {versus}")  # fmt: skip
    ax.axhline(0, color="#888888", linewidth=1)
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_locator(FixedLocator(sorted(df["n"].unique())))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:.0f}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set(xlabel="N (candidates per problem)", ylabel="Difference in accuracy (points)")
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return ax


def choices(ax: Axes, df: pd.DataFrame) -> Axes:
    """What is best in every bin with a budget of every n, the n it is run with where that is less, its accuracy."""
    best = df[df["chosen"]]
    shares = best.pivot(index="bin", columns="n", values="accuracy")
    names = best.pivot(index="bin", columns="n", values="method")
    sizes = best.pivot(index="bin", columns="n", values="size")
    words = [[_words(str(name), int(size), int(str(n))) for name, size, n in zip(*row, sizes.columns, strict=True)]
             for row in zip(names.to_numpy(), sizes.to_numpy(), strict=True)]  # fmt: skip
    texts = [[f"{word}\n{100 * share:.0f}" for word, share in zip(*pair, strict=True)]
             for pair in zip(words, shares.to_numpy(), strict=True)]  # fmt: skip
    tiles(ax, shares, texts, (0.0, 1.0))
    ax.set(xlabel="N (candidates per problem)", ylabel="Bin (1 = easiest)")
    return ax


def _words(method: str, size: int, n: int) -> str:
    """size: what the method is best run with, of a budget of n."""
    label = look(method).label.replace(" ", "\n", 1)
    return f"{label}\nwith {size}" if size < n else label
