"""Runs that think for a given length -> evaluations: a method at one budget, with a row per seed and problem.

What is a budget and what a method of its own is in BUDGETS: runs that differ in a budget alone are points of one line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from analysis import bootstrap, evaluate, variants
from analysis.load import Records, RecordsError

FORCING, REJECTION = "budget_forcing", "rejection_sampling"
BUDGETS = {
    FORCING: ("thinking", "waits", "least", "text"),
    "token_conditional": ("thinking",),
    "step_conditional": ("steps",),
    "class_conditional": ("length", "instruction"),
    REJECTION: ("thinking",),
}
TEMPERATURE = "policy.temperature"  # resampling needs one above 0, a forced run does not
LONGEST = 24  # characters of a setting in a name


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A method at one budget. fields: of its strategy.

    table: seed, problem_id, n, correct, thinking, tries, total. correct and thinking are means over the candidates of a
    run, so that n = 16 tells of one thinking as n = 1 does, with less noise; of rejection sampling over those that were
    accepted. tries: candidates for each of the n; total: thinking tokens that the search sampled (nan: not on record).
    """

    method: str
    strategy: str
    budget: str
    fields: Mapping[str, Any]
    table: pd.DataFrame

    def per_problem(self, column: str) -> pd.Series[float]:
        """Mean over seeds, sorted by problem."""
        return self.table.groupby("problem_id")[column].mean().astype("float64")


def of(records: Records, strategies: Sequence[str]) -> Records:
    """The finished runs of these strategies."""
    known = evaluate.finished(records)
    ours = known.runs[known.runs["strategy"].isin(strategies)]
    if ours.empty:
        there = ", ".join(sorted(set(known.runs["strategy"])))
        raise RecordsError(f"no run of {', '.join(strategies)}; there are runs of {there}")
    return known.only(ours["run"])


def datasets(records: Records, strategies: Sequence[str]) -> dict[str, Records]:
    """Name -> the runs of these strategies on it."""
    return variants.by(of(records, strategies), "dataset")


def evaluations(records: Records, strategies: Sequence[str], text: str | None = None) -> list[Evaluation]:
    """Every method at every budget, over the problems that all of them have. All runs are of one policy and dataset.

    text: of the runs of budget forcing that wait only those that append this (None: what most of them append).
    """
    runs = worded(_runs(records, strategies), text)
    return shared(list(_grouped(records, named(runs))))


def every(records: Records, strategies: Sequence[str]) -> list[Evaluation]:
    """As `evaluations`, with every appended string as a budget of its own."""
    return shared(list(_grouped(records, named(_runs(records, strategies)))))


def summary(found: Sequence[Evaluation], resamples: int = bootstrap.RESAMPLES) -> pd.DataFrame:
    """A row per evaluation: method, budget, accuracy, low, high, thinking and tries (means), n_problems, seeds."""
    rows = []
    for one in found:
        accuracy = bootstrap.interval(list(one.per_problem("correct")), resamples)
        means = {column: float(one.per_problem(column).mean()) for column in ("thinking", "tries")}
        sizes = {"n_problems": one.table["problem_id"].nunique(), "seeds": one.table["seed"].nunique()}
        ends = {"accuracy": accuracy.mean, "low": accuracy.low, "high": accuracy.high}
        rows.append({"method": one.method, "budget": one.budget, **ends, **means, **sizes})
    return pd.DataFrame(rows)


def outcomes(run: Records) -> pd.DataFrame:
    """The table of an evaluation, from one run."""
    known, row = evaluate.graded(run), run.runs.iloc[0]
    counted = _accepted(known.candidates) if row["strategy"] == REJECTION else known.candidates
    values = counted.assign(correct=counted["correct"].fillna(False)).astype(
        {"correct": "float64", "thinking": "float64"}
    )
    means = values.groupby("problem_id")[["correct", "thinking"]].mean()
    problems = known.problems.reindex(columns=["problem_id", "thinking_tokens"]).set_index("problem_id")
    tries = known.candidates.groupby("problem_id").size() / int(row["n"])
    table = means.reindex(problems.index).assign(tries=tries, total=problems["thinking_tokens"].astype("float64"))
    if table["thinking"].isna().any():
        raise RecordsError(
            f"{row['path']}: problem {table.index[table['thinking'].isna()][0]} does not say how long was thought: "
            "the policy does not think, or the records are older than this key of their candidates"
        )
    return table.reset_index().assign(seed=row["seed"], n=row["n"])


def named(runs: pd.DataFrame) -> pd.DataFrame:
    """With the columns `method` and `budget`, the largest n of each and seed first and the others left out."""
    parts = [
        rows.assign(method=_methods(str(strategy), rows)) for strategy, rows in runs.groupby("strategy", sort=False)
    ]
    table = pd.concat(parts)
    table["budget"] = [budget(row["strategy"], row["fields"]) for _, row in table.iterrows()]
    largest = table.sort_values("n", ascending=False, kind="stable").drop_duplicates(["method", "budget", "seed"])
    return largest.sort_index()


def shared(found: Sequence[Evaluation]) -> list[Evaluation]:
    """Over the problems that all evaluations have in every seed."""
    tables = [one.table.assign(method=one.method, n=one.budget) for one in found]
    kept = set(evaluate.common(pd.concat(tables))["problem_id"])
    return [replace(one, table=one.table[one.table["problem_id"].isin(kept)]) for one in found]


def worded(runs: pd.DataFrame, text: str | None) -> pd.DataFrame:
    """Without the runs of budget forcing that append another string than `text` (None: than most of them do)."""
    said = [fields["text"] for fields in runs["fields"] if waited(fields) and "text" in fields]
    kept = max(sorted(set(said)), key=said.count, default="") if text is None else text
    if text is not None and text not in said:
        raise RecordsError(f"no run of {FORCING} appends {text!r}; there are {', '.join(map(repr, sorted(set(said))))}")
    return runs[[not _waits_without(row, kept) for _, row in runs.iterrows()]]


def waited(fields: Mapping[str, Any]) -> bool:
    """Whether a run of budget forcing ever kept the policy from ending its thinking."""
    return bool(fields.get("waits")) or fields.get("least") is not None


def _runs(records: Records, strategies: Sequence[str]) -> pd.DataFrame:
    runs = of(records, strategies).runs
    evaluate.same_setup(runs, apart=TEMPERATURE)
    return runs


def _waits_without(row: pd.Series, text: str) -> bool:
    return row["strategy"] == FORCING and waited(row["fields"]) and row["fields"].get("text", "") != text


def _grouped(records: Records, runs: pd.DataFrame) -> Iterator[Evaluation]:
    for (method, budget), rows in runs.groupby(["method", "budget"], sort=False):
        table = pd.concat([outcomes(records.of(run)) for run in rows["run"]], ignore_index=True)
        first = rows.iloc[0]
        yield Evaluation(str(method), first["strategy"], str(budget), first["fields"], table)


def _methods(strategy: str, rows: pd.DataFrame) -> list[str]:
    """The strategy, `forced` where it is, and the settings that differ between its runs and are no budget."""
    kinds = [
        {key: value for key, value in fields.items() if key not in (*BUDGETS.get(strategy, ()), "n", "forced")}
        | {key.partition(".")[2]: value for key, value in setup.items() if key == TEMPERATURE}
        for fields, setup in zip(rows["fields"], rows["setup"], strict=True)
    ]
    keys = sorted({key for kind in kinds for key in kind})
    differing = [key for key in keys if len({str(kind.get(key)) for kind in kinds}) > 1]
    details = [
        ["forced"] * bool(fields.get("forced")) + [f"{key}={_short(kind.get(key))}" for key in differing]
        for fields, kind in zip(rows["fields"], kinds, strict=True)
    ]
    return [f"{strategy} ({', '.join(several)})" if several else strategy for several in details]


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def budget(strategy: str, fields: Mapping[str, Any]) -> str:
    """Without what makes no difference: an instruction beside its class, and a string that is never appended."""
    keys = [key for key in BUDGETS.get(strategy, ()) if key != "instruction"]
    spare = {"waits", "least", "text"} if not waited(fields) else set()
    return ", ".join(f"{key}={fields[key]}" for key in keys if key not in spare and fields.get(key) is not None)


def _accepted(candidates: pd.DataFrame) -> pd.DataFrame:
    """Without the tries that were rejected; where all of a problem were, the last of them stands for it."""
    ordered = candidates.sort_values(["problem_id", "index"], kind="stable")
    accepted = ordered[ordered["stop"] != "cut"]
    last = ordered.drop_duplicates("problem_id", keep="last")
    return pd.concat([accepted, last[~last["problem_id"].isin(set(accepted["problem_id"]))]])
