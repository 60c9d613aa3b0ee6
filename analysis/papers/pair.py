"""The policies of an exchange: the small one, whose searches are on record, and the larger one, decoded greedily."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from analysis.estimates import evaluate
from analysis.runs.load import Records, RecordsError

SIZE = "policy_parameters"


@dataclass(frozen=True, slots=True)
class Model:
    """A policy and the records of it."""

    name: str
    parameters: int
    records: Records


@dataclass(frozen=True, slots=True)
class Side:
    """The larger policy on the problems of one bin. correct: one value per problem, in the order asked for.

    tokens, flops: means per problem (None: not known). measured: False where `correct` is a mean that is known alone.
    """

    correct: Sequence[float]
    tokens: float | None
    flops: float | None
    measured: bool


class Larger(Protocol):
    """What is compared with: one greedy solution per problem."""

    @property
    def name(self) -> str: ...

    @property
    def parameters(self) -> int: ...

    def known(self, problems: Sequence[str]) -> list[str]:
        """Those of `problems` that it can be asked about."""
        ...

    def on(self, bin: int, problems: Sequence[str]) -> Side: ...


@dataclass(frozen=True, slots=True)
class Reported:
    """A larger policy of which only numbers are known: accuracy by bin."""

    name: str
    parameters: int
    accuracy: Mapping[int, float]

    def known(self, problems: Sequence[str]) -> list[str]:
        return list(problems)

    def on(self, bin: int, problems: Sequence[str]) -> Side:
        if bin not in self.accuracy:
            raise RecordsError(f"large.accuracy has no bin {bin}: it has {', '.join(map(str, self.accuracy))}")
        return Side([self.accuracy[bin]] * len(problems), None, None, False)


@dataclass(frozen=True, slots=True)
class Greedy:
    """A larger policy's greedy runs. table: indexed by problem_id, with correct, tokens, flops (no PRM)."""

    name: str
    parameters: int
    table: pd.DataFrame

    @classmethod
    def of(cls, model: Model, small: Records) -> Greedy:
        runs = model.records.runs
        runs = runs[(runs["strategy"] == "greedy") & runs["finished"]]
        if runs.empty:
            raise RecordsError(f"no finished greedy run of policy {model.name}, the larger one")
        _same_problems(small.problems, model.records.problems)
        rows = pd.concat([evaluate.own(model.records.of(run)) for run in runs["run"]])
        return cls(model.name, model.parameters, rows.groupby("problem_id")[["correct", "tokens", "flops"]].mean())

    def known(self, problems: Sequence[str]) -> list[str]:
        return [id for id in problems if id in self.table.index]

    def on(self, bin: int, problems: Sequence[str]) -> Side:
        rows = self.table.loc[list(problems)]
        tokens, flops = (float(rows[cost].mean()) if rows[cost].notna().all() else None for cost in ("tokens", "flops"))
        return Side(list(rows["correct"]), tokens, flops, True)


def policies(records: Records, parameters: Mapping[str, int]) -> list[Model]:
    """The policies that the runs are of, the smallest first.

    parameters: by name, for those whose records do not say. Policies of one name are told apart by their settings.
    """
    names = records.runs["setup"].map(_policy)
    found = [_model(_part(records, names == name), parameters) for name in dict.fromkeys(names)]
    return sorted(found, key=lambda model: model.parameters)


def _policy(setup: Mapping[str, object]) -> str:
    return str(sorted((key, value) for key, value in setup.items() if key.partition(".")[0] == "policy"))


def _part(records: Records, where: pd.Series[bool]) -> Records:
    runs = records.runs[where]
    return records.only(runs["run"])


def _model(records: Records, parameters: Mapping[str, int]) -> Model:
    name = str(records.runs["policy"].iloc[0])
    if name in parameters:
        return Model(name, parameters[name], records)
    said = sorted(set(records.runs.reindex(columns=[SIZE])[SIZE].dropna()))
    if not said:
        raise RecordsError(
            f"the records do not say how many parameters policy {name} has: add +figure.parameters.{name}=..."
        )
    if len(said) > 1:
        sizes = " and ".join(map(str, said))
        raise RecordsError(f"runs of policy {name} have the same settings, but {sizes} parameters")
    return Model(name, int(said[0]), records)


def _same_problems(a: pd.DataFrame, b: pd.DataFrame) -> None:
    """Problems of one id in two datasets must be the same ones."""
    known = [table.drop_duplicates("problem_id").set_index("problem_id")["reference"] for table in (a, b)]
    both = pd.concat(known, axis=1, join="inner", keys=["a", "b"]).dropna()
    if both.empty:
        raise RecordsError("the runs of the two policies have no problem in common")
    differ = both.index[both["a"] != both["b"]]
    if len(differ):
        raise RecordsError(f"problem {differ[0]} has another reference in the runs of the other policy")
