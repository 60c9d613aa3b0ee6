"""The records of an earlier small run -> the work to expect of a larger one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ttcs.config.file import load
from ttcs.config.identity import identity, portable
from ttcs.errors import UserError
from ttcs.planning.work import Work, extrapolated, measured
from ttcs.records.folder import CONFIG, RECORDS
from ttcs.records.record_file import read

SIZES = ("n", "seed", "strategy.n", "dataset.limit", "dataset.shard", "dataset.shards")  # in which a pilot may differ
NOT_A_RUNS = ("gpu", "plan")
NAMED = 2  # differing keys that a refusal names


@dataclass(frozen=True, slots=True)
class Expected:
    """The work of each problem of a pilot, as it would be at the n that is planned. source: where it comes from."""

    works: Sequence[Work]
    source: str


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a pilot. keys: what else must be as planned; n: candidates (1 for a strategy that takes no n)."""

    folder: Path
    keys: Mapping[str, Any]
    n: int


def runs(folder: Path) -> list[Run]:
    """Every run at or below the folder that has records."""
    files = sorted(file for file in folder.rglob(RECORDS) if file.stat().st_size and (file.parent / CONFIG).is_file())
    if not files:
        raise UserError(f"plan.pilot={folder}: no run with records there")
    return [_run(file.parent) for file in files]


def expected(runs: Sequence[Run], config: Mapping[str, Any], parameters: float) -> Expected:
    """The work of the runs that differ in size only (one for every n), brought to the n that is planned.

    UserError names what the least different run differs in if there is none.
    """
    keys, n = _keys(portable(config))
    fitting = [run for run in runs if run.keys == keys]
    if not fitting:
        raise UserError(_difference(runs, keys))
    pilots = {at: work([run for run in fitting if run.n == at], parameters) for at in {run.n for run in fitting}}
    works = extrapolated(pilots, n)
    return Expected(works, f"a pilot of {len(works)} problems at n = {', '.join(map(str, sorted(pilots)))}")


def work(runs: Sequence[Run], parameters: float) -> list[Work]:
    """That of the problems of shards, in the order of their ids; of several seeds only the first one's."""
    found = {record.problem_id: record for run in reversed(runs) for record in read(run.folder / RECORDS)}
    return measured([found[name] for name in sorted(found)], parameters)


def _run(folder: Path) -> Run:
    return Run(folder, *_keys(portable(load(folder / CONFIG))))


def _keys(config: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    inside = identity({key: value for key, value in config.items() if key not in NOT_A_RUNS})
    n = inside.get("strategy.n", 1)
    return {key: value for key, value in inside.items() if key not in SIZES}, n


def _difference(runs: Sequence[Run], keys: Mapping[str, Any]) -> str:
    absent = "absent"
    differing = [
        (run, sorted(key for key in {*keys, *run.keys} if keys.get(key, absent) != run.keys.get(key, absent)))
        for run in runs
    ]
    run, names = min(differing, key=lambda pair: len(pair[1]))
    named = ", ".join(
        f"{name} is {run.keys.get(name, absent)} there and {keys.get(name, absent)} here" for name in names[:NAMED]
    )
    more = f", and {len(names) - NAMED} more keys differ" if len(names) > NAMED else ""
    strategy = str(keys["strategy._target_"]).rpartition(".")[2]
    return f"no pilot for {strategy}: the nearest of {len(runs)} runs is {run.folder}, where {named}{more}"
