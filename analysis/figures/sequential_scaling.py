"""One long thinking against many short ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.drawing import draw, save
from analysis.estimates import bootstrap, estimate, evaluate
from analysis.estimates.pool import INDEPENDENT
from analysis.figures.figure import Panel
from analysis.figures.thinking import file, on_axis
from analysis.papers import thinking
from analysis.papers.budgets import named, same_policy, worded
from analysis.runs import repeats
from analysis.runs.load import Records, RecordsError
from analysis.runs.variants import by

WHOLE = "rebase"  # a tree search decides once; smaller ones cannot be cut out of it
MAJORITY = "majority"
COLUMNS = ["method", "budget", "seed", "problem_id", "correct", "thinking"]


@dataclass(frozen=True, slots=True)
class SequentialScaling:
    """Accuracy against all the thinking that a problem was given, in a row or side by side (Muennighoff et al., 2025,
    figs. 4 and 7).

    sequential: the strategy whose budgets make the sequential line; its runs of n > 1 also make a line of the vote of
    n such thinkings. The other parallel ones are the vote over 1, 2, 4, ... independent samples, and REBASE. text: of
    budget forcing, see thinking.evaluations. x: mean of the ledger's thinking tokens, of all requests of a search.
    """

    sequential: str
    text: str | None
    resamples: int

    def panels(self, records: Records) -> Sequence[Panel]:
        thinking.of(records, [self.sequential])
        return list(thinking.by_dataset(records, [self.sequential, *INDEPENDENT, WHOLE], self._panel).values())

    def _panel(self, dataset: str, records: Records) -> Panel:
        rows = on_axis(_summary(self.outcomes(dataset, records), self.resamples))
        return Panel(f"sequential_scaling_{file(dataset)}", f"Sequential and parallel thinking: {dataset}", rows,
                     draw.accuracy_vs_thinking, save.note(rows))  # fmt: skip

    def outcomes(self, dataset: str, records: Records) -> pd.DataFrame:
        """COLUMNS, over the problems that all have: every line at every budget."""
        same_policy(records.runs)
        table = pd.concat(self._lines(records), ignore_index=True)[COLUMNS]
        if table["thinking"].isna().any():
            raise RecordsError("the ledger of these records has no thinking_tokens, which the lines are drawn against")
        if set(table["method"].str.partition(" (")[0]) == {self.sequential}:
            raise RecordsError(f"on {dataset} there is nothing parallel: no n > 1, no best_of_n and no {WHOLE}")
        return evaluate.common(table.assign(n=table["budget"]))

    def _lines(self, records: Records) -> Iterator[pd.DataFrame]:
        yield from self._sequential(records)
        yield from self._forced(records)
        yield from _independent(records)
        yield from _searched(records)

    def _sequential(self, records: Records) -> Iterator[pd.DataFrame]:
        for one in thinking.evaluations(records, [self.sequential], self.text):
            alone = one.table.assign(thinking=one.table["total"] / one.table["n"].astype("float64"))
            yield alone.assign(method=one.method, budget=one.budget)

    def _forced(self, records: Records) -> Iterator[pd.DataFrame]:
        runs = worded(records.runs[records.runs["strategy"] == self.sequential], self.text)
        if len(several := runs[runs["n"] > 1]):
            for _, row in named(several).iterrows():
                voted = _votes(records.of(row["run"]), [int(row["n"])])
                yield voted.assign(method=_voting(row["method"], int(row["n"])), budget=row["budget"])


def _independent(records: Records) -> Iterator[pd.DataFrame]:
    """Of each seed the largest run: the smaller ones repeat its samples."""
    runs = records.runs[records.runs["strategy"].isin(INDEPENDENT)]
    largest = repeats.first(runs, ["seed"])
    repeats.say(runs, largest, ["seed"])
    for run in largest["run"]:
        yield _votes(records.of(run), None).assign(method=MAJORITY)


def _searched(records: Records) -> Iterator[pd.DataFrame]:
    """A line for each PRM, as it is what the search is steered by."""
    verifiers = by(records.only(records.runs.loc[records.runs["strategy"] == WHOLE, "run"]), "prm")
    for prm, one in verifiers.items():
        for _, row in named(one.runs).iterrows():
            method = row["method"] if len(verifiers) == 1 else f"{row['method']}/{prm}"
            yield _decided(records.of(row["run"])).assign(method=method, budget=row["budget"])


def _voting(method: str, n: int) -> str:
    name, _, details = method.partition(" (")
    return f"{name}/{MAJORITY} ({', '.join([f'n={n}', *filter(None, [details.removesuffix(')')])])})"


def _votes(run: Records, at: Sequence[int] | None) -> pd.DataFrame:
    """seed, problem_id, budget, correct, thinking: the vote over subsets of the samples, a budget for each size."""
    row, known = run.runs.iloc[0], evaluate.graded(run)
    samples = Records(known.runs.assign(strategy=next(iter(INDEPENDENT))), known.problems, known.candidates)
    curve = estimate.curve(samples, at)
    voted = curve[curve["selection"] == MAJORITY].merge(_totals(known), on="problem_id")
    share = voted["n"].astype("float64") / int(row["n"])
    return voted.assign(seed=row["seed"], budget=voted["n"].astype("str"), thinking=voted["total"] * share)


def _decided(run: Records) -> pd.DataFrame:
    table = evaluate.own(run).merge(_totals(run), on="problem_id")
    return table.assign(budget=table["n"].astype("str"), thinking=table["total"])


def _totals(run: Records) -> pd.DataFrame:
    totals = run.problems.reindex(columns=["problem_id", "thinking_tokens"])
    return totals.astype({"thinking_tokens": "float64"}).rename(columns={"thinking_tokens": "total"})


def _summary(table: pd.DataFrame, resamples: int) -> pd.DataFrame:
    by = ["method", "budget"]
    means = table.groupby(by, sort=False).agg(thinking=("thinking", "mean"), seeds=("seed", "nunique")).reset_index()
    return bootstrap.accuracy(table, by, resamples).merge(means, on=by)
