"""Chains of attempts (Snell et al., 2024, section 6): the grids of fewer chains and fewer attempts that a run holds.

Chains do not see each other and an attempt sees those before it alone, so the first s attempts of p of the chains are
what a run of p chains of s attempts would have drawn. The estimate is the mean over subsets of p chains. A chain that
ended early, because a verifier was sure, is as short in a smaller run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from analysis.estimates import estimate
from analysis.estimates.estimate import HIERARCHICAL, VOTES
from analysis.estimates.pool import INDEPENDENT, Ints, pools, width
from analysis.runs.load import Records, RecordsError
from ttcs.records.subsets import RESAMPLES, subsets

KINDS = (*estimate.SELECTIONS, HIERARCHICAL)
GRID = ["problem_id", "selection", "chains", "attempts", "n", "correct", "share"]


@dataclass(frozen=True, slots=True)
class Shape:
    """How many chains side by side, and attempts in each at most."""

    chains: int
    attempts: int


def shape(run: Records) -> Shape | None:
    """None where a run has no chains, or a budget."""
    row = run.runs.iloc[0]
    if row["strategy"] in INDEPENDENT or pd.isna(row["chains"]) or (attempts := width(run)) is None:
        return None
    return Shape(int(row["chains"]), attempts)


def sizes(shape: Shape) -> list[tuple[int, int]]:
    """Chains and attempts of all smaller grids: powers of two, and the run's own numbers."""
    return list(product(estimate.sizes(shape.chains), estimate.sizes(shape.attempts)))


def grid(
    run: Records, at: Sequence[tuple[int, int]] | None = None, resamples: int = RESAMPLES, seed: int = 0
) -> pd.DataFrame:
    """One run -> columns GRID: the probability that so many chains of so many attempts come to the right answer.

    at: pairs of chains and attempts (None: `sizes`). share: of the decoded tokens of the run. Independent samples are
    chains of one attempt. Without scores there are no selections by score.
    """
    own = _shape(run)
    wanted = sizes(own) if at is None else list(at)
    if beyond := [pair for pair in wanted if pair[0] > own.chains or pair[1] > own.attempts]:
        raise RecordsError(f"{_path(run)}: {own.chains} chains of {own.attempts} attempts do not hold {beyond[0]}")
    scored = bool(run.candidates["score"].notna().any())
    drawn = {chains: subsets(own.chains, chains, resamples, seed) for chains, _ in wanted}
    kinds = [kind for kind in KINDS if scored or kind in VOTES]
    rows = [
        row
        for attempts in dict.fromkeys(size for _, size in wanted)
        for row in _estimates(run, attempts, {chains: drawn[chains] for chains, s in wanted if s == attempts}, kinds)
    ]
    table = pd.DataFrame(rows, columns=["problem_id", "selection", "chains", "attempts", "correct"])
    table["n"] = table["chains"] * table["attempts"]
    return table.merge(_shares(run, own), on=["problem_id", "attempts"]).assign(
        share=lambda rows: rows["share"] * rows["chains"] / own.chains
    )[GRID]


def _shape(run: Records) -> Shape:
    row = run.runs.iloc[0]
    own = Shape(int(row["n"]), 1) if row["strategy"] in INDEPENDENT else shape(run)
    if own is None:
        raise RecordsError(f"{_path(run)}: a run without chains of attempts, or one that ended on its budget")
    return own


def _estimates(
    run: Records, attempts: int, drawn: dict[int, Ints], kinds: Sequence[str]
) -> list[tuple[str, str, int, int, float]]:
    """Of every problem, with the first so many attempts of each chain. drawn: number of chains -> subsets of them."""
    rows = []
    for id, pool in pools(run).items():
        begun = pool.only(_place(pool.unit) < attempts)
        votes = {"majority": (begun, False), "weighted": (begun, True), HIERARCHICAL: (estimate.finalists(begun), True)}
        for (chains, chosen), kind in product(drawn.items(), kinds):
            if kind in votes:
                voters, weighted = votes[kind]
                correct = estimate.vote_at_k(voters, chosen, weighted=weighted)
            else:
                correct = estimate.estimated(kind, begun, chains, chosen)
            rows.append((id, kind, chains, attempts, correct))
    return rows


def _place(unit: Ints) -> Ints:
    """How many candidates of the same unit come before each."""
    order = np.argsort(unit, kind="stable")
    counts = np.bincount(unit)
    place = np.empty_like(unit)
    place[order] = np.arange(len(unit)) - np.repeat(np.cumsum(counts) - counts, counts)
    return place


def attempts(run: Records) -> pd.DataFrame:
    """The candidates with a column `attempt`: which of its chain each is, from 1."""
    ordered = run.candidates.sort_values(["problem_id", "index"], kind="stable")
    chain = ordered.groupby(["problem_id", "subtree"], dropna=False, sort=False)
    return ordered.assign(attempt=chain.cumcount() + 1)


def _shares(run: Records, own: Shape) -> pd.DataFrame:
    """problem_id, attempts, share: of the tokens of a problem's candidates, those of the first so many attempts."""
    table = attempts(run) if own.attempts > 1 else run.candidates.assign(attempt=1)
    tokens = table.pivot_table(index="problem_id", columns="attempt", values="tokens", aggfunc="sum")
    places = np.arange(1, own.attempts + 1)
    sums = tokens.reindex(index=list(run.problems["problem_id"]), columns=list(places)).fillna(0).cumsum(axis=1)
    known = sums.to_numpy(np.float64)
    # Every attempt as much where no tokens are on record.
    share = np.where(known[:, -1:] > 0, known / np.maximum(known[:, -1:], 1.0), places / own.attempts)
    index = pd.MultiIndex.from_product([sums.index, places], names=["problem_id", "attempts"])
    return pd.DataFrame({"share": share.ravel()}, index=index).reset_index()


def _path(run: Records) -> str:
    return str(run.runs.iloc[0]["path"])
