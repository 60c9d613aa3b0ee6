"""Many runs -> one table of estimates: every method at every n that the records allow, one row per problem and seed."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from analysis.drawing.style import ordered, split
from analysis.estimates import bootstrap, charges, estimate
from analysis.estimates.estimate import VOTES
from analysis.estimates.pool import INDEPENDENT, budgeted, width
from analysis.papers import chains
from analysis.runs import repeats
from analysis.runs.load import Records, RecordsError
from analysis.runs.variants import named
from ttcs.records.subsets import RESAMPLES

TOKENS, POLICY_FLOPS, PRM_FLOPS = "decoded_tokens", "policy_flops", "prm_flops"
SCORES = ("best", "weighted")  # selections of independent samples that a PRM is read for
BLIND = re.compile(r"(, )?\breduction=\w+")  # what a selection that reads no score has no use for
BY = ["method", "strategy", "selection", "settings", "n"]
GENERATIONS, ROLLOUTS = "generations", "lookahead_generations"
ESTIMATES = [*BY, "seed", "problem_id", "level", "correct", "tokens", "flops", "seconds", "derived"]


def own(run: Records) -> pd.DataFrame:
    """What one run itself decided, at its own n."""
    row = run.runs.iloc[0]
    decided = _known(run.problems)[["problem_id", "correct"]]
    return with_costs(decided.assign(selection=row["selection"], n=row["n"], share=1.0), run)


def nested(run: Records, resamples: int = RESAMPLES, seed: int = 0) -> pd.DataFrame:
    """Every selection of one run at every n that whole units of it make up, or as many chains of fewer attempts.

    A subset of k of n candidates is charged k / n of the run's tokens, and of its FLOPs what it would have computed
    (`analysis.charges`). The PRM is not charged where nothing reads its scores: majority and pass@k over independent
    samples, one such sample alone, and greedy.
    """
    known = graded(run)
    if shape := chains.shape(known):
        sizes = [(shape.chains, attempts) for attempts in estimate.sizes(shape.attempts)]
        return with_costs(chains.grid(known, sizes, resamples, seed), run)
    curve = estimate.curve(known, resamples=resamples, seed=seed)
    return with_costs(curve.assign(share=curve["n"].astype("float64") / int(run.runs.iloc[0]["n"])), run)


def graded(run: Records) -> Records:
    """The problems of a run that have a reference."""
    kept = _known(run.problems)["problem_id"]
    problems, candidates = (table[table["problem_id"].isin(kept)] for table in (run.problems, run.candidates))
    return Records(run.runs, problems, candidates)


@lru_cache(maxsize=4)  # the figures of one command share it
def evaluate(records: Records, resamples: int = RESAMPLES, seed: int = 0) -> pd.DataFrame:
    """Estimates (columns ESTIMATES) of all finished runs, over the problems that all of them have.

    Where a larger pool of the same seed is at hand (best-of-N, DVTS), a smaller run of it tells nothing new and is left
    out: their samples are the same. Nobody may write to the table: it is handed out again.
    """
    records = finished(records)
    same_setup(records.runs)
    parts = [
        frame
        for strategy in records.runs["strategy"].unique()
        for frame in _strategy(records, strategy, resamples, seed)
    ]
    estimates = common(named(pd.concat(parts, ignore_index=True)))
    _warn_of_seeds(estimates)
    return estimates


def chosen(estimates: pd.DataFrame, methods: Sequence[str] | None) -> pd.DataFrame:
    """The rows of these methods and of their variants; None: of all but pass@N, which no selection reaches."""
    names = [split(name)[0] for name in estimates["method"]]
    if methods is None:
        return estimates[estimates["selection"] != "pass"]
    if missing := [name for name in methods if name not in names]:
        raise RecordsError(f"no run of {', '.join(missing)}; there are {', '.join(ordered(dict.fromkeys(names)))}")
    return estimates[[name in methods for name in names]]


def summary(estimates: pd.DataFrame, within: Sequence[str] = ()) -> pd.DataFrame:
    """Estimates -> one row per method and n: accuracy, low, high, n_problems, seeds, and mean costs per problem.

    within: columns to have a row for each value of, as well.
    """
    by = [*BY, *within]
    accuracy = bootstrap.accuracy(estimates, by)
    groups = estimates.groupby(by, sort=False, dropna=False)
    means = {name: (name, "mean") for name in ("tokens", "flops", "seconds", GENERATIONS) if name in estimates}
    costs = groups.agg(seeds=("seed", "nunique"), **means, derived=("derived", "all")).reset_index()
    return accuracy.merge(costs, on=by).sort_values(["method", *within, "n"], kind="stable", ignore_index=True)


def method(strategy: str, selection: str | None) -> str:
    """The name a curve goes by: a selection for independent samples, else the strategy (and an unusual selection)."""
    if strategy in INDEPENDENT:
        return str(selection)
    return strategy if selection == "weighted" or strategy == "greedy" else f"{strategy}/{selection}"


def _known(problems: pd.DataFrame) -> pd.DataFrame:
    known = problems[problems["correct"].notna()]
    if known.empty:
        raise RecordsError("no problem has a known reference answer, so there is no accuracy to draw")
    if len(known) < len(problems):
        warnings.warn(f"{len(problems) - len(known)} problems without a reference answer left out", stacklevel=3)
    return known.astype({"correct": "float64"})


def with_costs(estimates: pd.DataFrame, run: Records) -> pd.DataFrame:
    """problem_id, selection, n, correct, share (of the tokens of the run), ... -> columns ESTIMATES, generations, ...

    generations: the budget of Snell et al. (2024): n, and n (k + 1) of lookahead by k steps, by what was looked ahead.
    """
    row = run.runs.iloc[0]
    kept = ["problem_id", "level", TOKENS, POLICY_FLOPS, PRM_FLOPS, GENERATIONS, ROLLOUTS]
    problems = run.problems.reindex(columns=kept)
    table = estimates.merge(problems, on="problem_id")
    share, shares = table["share"], charges.shares(table, run)
    votes = table["selection"].isin(VOTES) | (table["n"] == 1)
    blind = row["strategy"] in INDEPENDENT or (chains.shape(run) is not None and "sure=" not in row["settings"])
    unread = votes if blind else row["strategy"] == "greedy"
    policy, prm = (table[column].astype("float64") for column in (POLICY_FLOPS, PRM_FLOPS))
    return table.assign(
        method=[method(row["strategy"], selection) for selection in table["selection"]],
        strategy=row["strategy"],
        settings=row["settings"],
        seed=row["seed"],
        tokens=table[TOKENS].astype("float64") * share,
        flops=policy * shares["policy"] + np.where(unread, 0.0, prm * shares["prm"]),
        seconds=row["wall_seconds"] / len(run.problems) * share,
        derived=share < 1,
        generations=table["n"].astype("float64") * (1 + _rollouts(table)),
    )[[*ESTIMATES, GENERATIONS, *(column for column in ("chains", "attempts") if column in table)]]


def _rollouts(problems: pd.DataFrame) -> pd.Series[float]:
    """Generations of lookahead for each of the others: k where every step is looked ahead from (Snell et al., 2024).

    0 where nothing was, or the records do not say.
    """
    rollouts, every = (problems[name].astype("float64") for name in (ROLLOUTS, GENERATIONS))
    return (rollouts / (every - rollouts).where(every > rollouts)).fillna(0.0)


def finished(records: Records) -> Records:
    """Without the runs that are still in progress, unless there are no others."""
    if records.runs.empty:
        raise RecordsError("there are scores of a verifier here, but no run")
    done = records.runs["finished"]
    if done.all() or not done.any():
        return records
    names = ", ".join(records.runs.loc[~done, "run"])
    warnings.warn(f"runs without a summary.json (still in progress) left out: {names}", stacklevel=3)
    return records.only(records.runs.loc[done, "run"])


def same_setup(runs: pd.DataFrame, apart: str | None = None) -> None:
    """RecordsError where policy, PRM or dataset differ. apart: the one of them that may."""
    seen: dict[str, tuple[object, str]] = {}
    for run, setup in zip(runs["run"], runs["setup"], strict=True):
        for key, value in setup.items():
            if key.partition(".")[0] == apart:
                continue
            first, other = seen.setdefault(key, (value, run))
            if first != value:
                raise RecordsError(
                    f"runs of different {key} do not belong in one comparison: {other} has {first}, {run} has {value}"
                )


def _strategy(records: Records, strategy: str, resamples: int, seed: int) -> Iterator[pd.DataFrame]:
    """The estimates of all runs of one strategy, each (settings, seed, n) once."""
    runs = records.runs[records.runs["strategy"] == strategy]
    runs = runs.sort_values(["n", "problems"], ascending=False, kind="stable")
    runs = runs.assign(scored=[bool(records.of(run).candidates["score"].notna().any()) for run in runs["run"]])
    if strategy in INDEPENDENT:
        whole = runs["settings"].map(budgeted)
        runs, ended = runs[~whole], runs[whole]
        votes = list(repeats.first(runs, ["seed"])["run"])  # what no PRM is read for has no other settings
        scores = list(repeats.first(runs[runs["scored"]], ["settings", "seed"])["run"])
        repeats.say(runs, runs[runs["run"].isin([*votes, *scores])], ["settings", "seed"])
        for run in dict.fromkeys([*votes, *scores]):
            kinds = [*(VOTES * (run in set(votes))), *(SCORES * (run in set(scores)))]
            table = nested(records.of(run), resamples, seed)
            unread = table["selection"].isin(VOTES)
            table = table.assign(
                settings=table["settings"].where(~unread, BLIND.sub("", str(table["settings"].iloc[0])))
            )
            yield table[table["selection"].isin(kinds)]
        runs = ended
    for run in _once(runs, records)["run"]:
        one = records.of(run)
        cut = width(one)
        if cut is None or (cut == int(one.runs.iloc[0]["n"]) and chains.shape(one) is None):
            yield own(one)
        else:
            table = nested(one, resamples, seed)
            yield table[table["selection"] == one.runs.iloc[0]["selection"]]


def _once(runs: pd.DataFrame, records: Records) -> pd.DataFrame:
    """Without repeated runs; where whole subtrees make smaller runs, only the largest of a seed. The largest first."""
    sliced = [width(records.of(run)) is not None for run in runs["run"]]
    same = ["selection", "settings", "seed"]
    kept = runs[~(runs.duplicated([*same, "n"]) | (runs.duplicated(same) & pd.Series(sliced, index=runs.index)))]
    repeats.say(runs, kept, same)
    return kept


def common(estimates: pd.DataFrame) -> pd.DataFrame:
    """Only the problems that every method has at every n: a mean over others would compare problem sets."""
    groups = estimates.groupby(["method", "n", "seed"], dropna=False)["problem_id"]
    sets: list[set[str]] = list(groups.agg(set))
    shared, every = set.intersection(*sets), set.union(*sets)
    if not shared:
        raise RecordsError(f"none of the {len(every)} problems is in all runs, so their accuracies cannot be compared")
    if len(shared) < len(every):
        warnings.warn(f"compared on the {len(shared)} of {len(every)} problems that all runs have", stacklevel=3)
    return estimates[estimates["problem_id"].isin(shared)]


def _warn_of_seeds(estimates: pd.DataFrame) -> None:
    """Means over other seeds are means over other samples. Greedy has none: every seed of it is the same."""
    drawn = estimates[(estimates["strategy"] != "greedy") & (estimates["selection"] != "pass")]
    every = set(drawn["seed"])
    missing = drawn.groupby(["method", "n"])["seed"].agg(lambda seeds: _words(every - set(seeds))).reset_index()
    lacking = missing[missing["seed"] != ""].groupby(["method", "seed"])["n"].agg(_words).reset_index()
    for (seeds, sizes), rows in lacking.groupby(["seed", "n"]):
        names = ", ".join(ordered(rows["method"]))
        warnings.warn(f"{names} without seed {seeds} at n = {sizes}, which other runs have", stacklevel=3)


def _words(numbers: Iterable[int]) -> str:
    return ", ".join(str(number) for number in sorted(numbers))
