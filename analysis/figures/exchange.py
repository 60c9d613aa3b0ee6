"""Test-time compute of a small policy against a larger policy at equal FLOPs."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.drawing import equal_flops
from analysis.drawing.style import look
from analysis.estimates import bins, evaluate
from analysis.figures.figure import Panel
from analysis.papers import comparison
from analysis.papers.comparison import OPTIMAL
from analysis.papers.exchange import accounting
from analysis.papers.pair import Greedy, Larger, Model, Reported, policies
from analysis.runs.load import Records, RecordsError

PANELS = {
    "exchange": ("Test-time compute against pretraining", equal_flops.accuracy_vs_budget),
    "relative_change": ("Relative change by test-time compute", equal_flops.relative_change),
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A line per bin over the budget with a star per R at equal FLOPs, or bars of the relative change there.

    Snell et al., 2024, figs. 9 and 1 right. The records are of two policies; the small one has fewer parameters.
    show: exchange, relative_change. accounting: v1 | iclr | exact (`analysis.papers.exchange`). ratios: the R (None:
    those of the accounting). method: of the small policy; compute_optimal chooses, cross-fitted, among candidates
    (None: all). difficulty, bins, own: as in `analysis.estimates.bins`, over the pools of the small policy. parameters:
    by name of a policy, where the records do not say. large: numbers in place of a greedy run of the larger policy;
    accuracy is by bin.
    """

    show: Sequence[str]
    accounting: str
    ratios: Sequence[float] | None
    method: str
    candidates: Sequence[str] | None
    difficulty: str
    bins: int
    own: bool
    parameters: Mapping[str, int]
    large: Reported | None

    def __post_init__(self) -> None:
        accounting(self.accounting)
        if unknown := [name for name in self.show if name not in PANELS]:
            raise RecordsError(f"show={', '.join(unknown)}: there are {', '.join(PANELS)}")
        if bad := [ratio for ratio in self.ratios or () if ratio <= 0]:
            raise RecordsError(f"ratios={bad[0]} is not above 0")

    def panels(self, records: Records) -> Sequence[Panel]:
        small, large = self._pair(records)
        estimates = _shared(evaluate.evaluate(small.records), large)
        lines, stars = self._tables(estimates, small, large)
        _warn(stars)
        table = pd.concat([lines.assign(policy=small.name), stars.assign(policy=large.name)], ignore_index=True)
        shown = {"exchange": table, "relative_change": stars}
        note = self._note(small, large, estimates["problem_id"].nunique())
        return [Panel(name, PANELS[name][0], shown[name], PANELS[name][1], note) for name in self.show]

    def _pair(self, records: Records) -> tuple[Model, Larger]:
        found = policies(records, self.parameters)
        names = ", ".join(f"{model.name} ({model.parameters})" for model in found)
        if len(found) != (1 if self.large else 2):
            raise RecordsError(f"records of {len(found)} policies, not {1 if self.large else 2}: {names}")
        size = (self.large or found[1]).parameters
        if size <= found[0].parameters:
            raise RecordsError(f"the larger policy has {size} parameters, no more than the small one: {names}")
        return found[0], self.large or Greedy.of(found[1], found[0].records)

    def _tables(self, estimates: pd.DataFrame, small: Model, large: Larger) -> tuple[pd.DataFrame, pd.DataFrame]:
        ids = sorted(set(estimates["problem_id"]))
        seeds = sorted({int(seed) for seed in estimates.loc[estimates["strategy"] != "greedy", "seed"]})
        cut = bins.bins(small.records, ids, seeds, self.difficulty, self.bins, own=self.own)
        count = accounting(self.accounting)
        of_line = comparison.line(estimates, self.method, cut, self.candidates)
        found = list(comparison.split(estimates, of_line, cut, count.unit))
        ratios = sorted(self.ratios or count.ratios)
        return comparison.curves(found), comparison.stars(found, small.parameters, large, count, ratios)

    def _note(self, small: Model, large: Larger, problems: int) -> str:
        name = "compute-optimal" if self.method == OPTIMAL else look(self.method).label
        scale = f"M = {large.parameters / small.parameters:.3g}, {self.accounting}"
        cut = f"{self.difficulty} bins{' (same samples)' * self.own}"
        return (
            f"{small.name}, {name}; {large.name} greedy; {scale}; {cut}, {problems} problems, 95% bootstrap intervals"
        )


def _shared(estimates: pd.DataFrame, large: Larger) -> pd.DataFrame:
    """Over the problems that both policies have."""
    every = sorted(set(estimates["problem_id"]))
    ids = large.known(every)
    if len(ids) < len(every):
        warnings.warn(f"compared on the {len(ids)} of {len(every)} problems that both policies have", stacklevel=3)
    return estimates[estimates["problem_id"].isin(ids)]


def _warn(stars: pd.DataFrame) -> None:
    """Which budgets of equal FLOPs were not measured."""
    for ratio, rows in stars.groupby("ratio"):
        beyond, before = rows[rows["budget"] > rows["used"]], rows[rows["used"].isna()]
        if len(beyond):
            at, last = _range(beyond["budget"]), _range(beyond["used"])
            warnings.warn(
                f"R={ratio:g}: c is {at}, and the small policy is measured up to {last} samples", stacklevel=3
            )
        if len(before):
            at = _range(before["budget"])
            warnings.warn(f"R={ratio:g}: c is {at}, below the small policy's smallest budget", stacklevel=3)


def _range(values: pd.Series[float]) -> str:
    low, high = f"{values.min():.4g}", f"{values.max():.4g}"
    return low if low == high else f"{low} to {high}"
