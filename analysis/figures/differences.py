"""Paired differences: how much better one method is than another on the same problems."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from analysis.drawing import markdown
from analysis.drawing.style import look, ordered
from analysis.estimates import bootstrap, evaluate
from analysis.figures.figure import Sheet
from analysis.runs.load import Records, RecordsError
from ttcs.records.interval import Interval

COLUMNS = ["a", "b", "n", "difference", "low", "high", "n_problems", "seeds"]


@dataclass(frozen=True, slots=True)
class Differences:
    """Accuracy of a minus that of b at each n, over the problems and seeds that both have (Muennighoff et al., 2025).

    reference: the b of every pair (None: all pairs). Greedy, whose n is 1, is compared with the others at all theirs.
    """

    reference: str | None
    methods: Sequence[str] | None

    def panels(self, records: Records) -> Sequence[Sheet]:
        estimates = evaluate.chosen(evaluate.evaluate(records), self.methods)
        return [sheet("differences", estimates, self._pairs(ordered(estimates["method"].unique())))]

    def _pairs(self, methods: Sequence[str]) -> list[tuple[str, str]]:
        if self.reference is None:
            return [(b, a) for a, b in combinations(methods, 2)]
        if self.reference not in methods:
            raise RecordsError(f"no run of reference={self.reference}; there are {', '.join(methods)}")
        return [(method, self.reference) for method in methods if method != self.reference]


def sheet(name: str, estimates: pd.DataFrame, pairs: Sequence[tuple[str, str]]) -> Sheet:
    """Every pair of methods at each n that both have."""
    rows = [row for a, b in pairs for row in _differences(estimates, a, b)]
    if not rows:
        raise RecordsError("no two methods have an n in common")
    return Sheet(name, _text(table := pd.DataFrame(rows, columns=COLUMNS)), table)


def _differences(estimates: pd.DataFrame, a: str, b: str) -> list[tuple[object, ...]]:
    one, other = (estimates[estimates["method"] == name] for name in (a, b))
    found: list[tuple[object, ...]] = []
    for n in sorted({*one["n"], *other["n"]}):
        if _at(one, n).empty or _at(other, n).empty:
            continue
        left, right, seeds = _paired(_at(one, n), _at(other, n))
        if seeds:
            problems = len(set(left["problem_id"]) & set(right["problem_id"]))
            found.append((a, b, int(n), *bootstrap.difference(left, right), problems, seeds))
        else:
            warnings.warn(f"{a} and {b} at n={n} have no seed in common and are not compared", stacklevel=2)
    return found


def _at(estimates: pd.DataFrame, n: int) -> pd.DataFrame:
    return estimates[(estimates["n"] == n) | (estimates["strategy"] == "greedy")]


def _paired(a: pd.DataFrame, b: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Over the seeds of both; greedy is the same in every seed."""
    fixed = [bool((one["strategy"] == "greedy").any()) for one in (a, b)]
    seeds = set(a["seed"]) & set(b["seed"])
    if any(fixed):
        seeds = set(b["seed"] if fixed[0] else a["seed"])
    left, right = (one if same else one[one["seed"].isin(seeds)] for one, same in zip((a, b), fixed, strict=True))
    return left, right, len(seeds)


def _text(table: pd.DataFrame) -> str:
    sizes = [int(n) for n in sorted(table["n"].unique())]
    cells = {
        (row["a"], row["b"], row["n"]): markdown.percent(Interval(row["difference"], row["low"], row["high"]), sign="+")
        for _, row in table.iterrows()
    }
    pairs = table[["a", "b"]].drop_duplicates().itertuples(index=False)
    rows = [[f"{look(a).label} - {look(b).label}", *(cells.get((a, b, n), "") for n in sizes)] for a, b in pairs]
    caption = (
        f"Accuracy of one method minus that of another, in points. {table['n_problems'].max()} problems; 95% bootstrap "
    )
    return f"{caption}intervals over problems, paired by problem.\n\n" + markdown.grid(
        ["Difference", *(f"N = {n}" for n in sizes)], rows
    ) + "\n"  # fmt: skip
