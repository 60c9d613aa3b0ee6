"""Run folders -> DataFrames. The only place that knows what the files of a run look like (docs/records.md)."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from analysis.runs import shards
from ttcs.config import identity
from ttcs.config.moved import current
from ttcs.config.paths import spelled
from ttcs.errors import UserError
from ttcs.records.folder import SCORES
from ttcs.records.prefixes import Numbers, Prefixes, numbered

RUN = {"run": "str", "path": "str", "strategy": "str", "selection": "str", "reduction": "str", "policy": "str",
       "prm": "str", "dataset": "str", "settings": "str", "fields": "object", "setup": "object", "n": "Int64",
       "seed": "Int64",
       "width": "Int64", "chains": "Int64", "policy_parameters": "Int64",
       "finished": "bool", "problems": "Int64", "wall_seconds": "float64", "shard": "Int64", "shards": "Int64",
       "whole": "str"}  # fmt: skip
PROBLEM = {"run": "str", "problem_id": "str", "level": "Int64", "family": "str", "answer": "str", "reference": "str",
           "correct": "boolean", "chosen": "Int64", "n_candidates": "Int64"}  # fmt: skip
CANDIDATE = {"run": "str", "strategy": "str", "n": "Int64", "seed": "Int64", "problem_id": "str", "level": "Int64",
             "index": "Int64", "subtree": "Int64", "revises": "Int64", "group": "Int64", "answer": "str",
             "score": "float64", "correct": "boolean", "tokens": "Int64", "thinking": "Int64", "stop": "str",
             "confidence": "object", "step_scores": "object", "prefixes": "object"}  # fmt: skip
# Neither speed nor the number of problems: comparisons are over the problems that all runs have.
IMMATERIAL = identity.THROUGHPUT | {"_target_", "capacity", "pace", "shuffle", "limit", "shard", "shards"}


class RecordsError(UserError):
    """Records that cannot be analysed; the message is one line that says which and why."""


@dataclass(frozen=True, slots=True, eq=False)  # tables are not compared, so that records can be a key of a cache
class Records:
    """Three tables that join on `run` (the folder's path below the root) and `problem_id`.

    runs: `settings` is what tells variants of a strategy apart, `fields` those of the strategy itself (field -> value),
    `setup` what runs must share to be compared (policy, PRM and dataset, field -> value).
    problems: columns of PROBLEM, and those of the ledger under their own names.
    candidates: `step_scores` is a tuple, in the order of the steps; a step without a score is left out. `prefixes` is
    what a verifier has read of it: a pair for each step, a number that the same beginning of another solution of the
    problem has too, and the tokens of the step; empty where nothing was scored. `revises` is
    the index of the latest attempt that a revision was shown, `thinking` how many of `tokens` are before the answer
    (none: the policy does not think, or the record is older), `confidence` as the record has it (none: nobody asked).
    scores: files of labelled solutions that a verifier has scored (docs/verifiers.md), read by who needs them.
    """

    runs: pd.DataFrame
    problems: pd.DataFrame
    candidates: pd.DataFrame
    scores: tuple[Path, ...] = ()

    def of(self, run: str) -> Records:
        """The records of one run."""
        return self.only([run])

    def only(self, runs: Iterable[str]) -> Records:
        """The records of these runs."""
        names = set(runs)
        kept = [table[table["run"].isin(names)] for table in (self.runs, self.problems, self.candidates)]
        return Records(kept[0], kept[1], kept[2], self.scores)


def load(*roots: Path) -> Records:
    """Every run folder at or below `roots`, in the order of their paths; the shards of a dataset make one run.

    Where there are scores of a verifier but no run, the tables are empty.
    """
    runs: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    candidates: list[dict[str, Any]] = []
    for name, folder in _folders(roots).items():
        run = _run(folder, name)
        rows = list(_rows(folder / "records.jsonl", run))
        if not rows:
            warnings.warn(f"{folder / 'records.jsonl'}: no records yet, skipped", stacklevel=2)
            continue
        runs.append(run | {"problems": len(rows)})
        problems += [problem for problem, _ in rows]
        candidates += [candidate for _, several in rows for candidate in several]
    scores = tuple(sorted({file.resolve() for root in roots for file in root.rglob(SCORES)}))
    if not runs and not scores:
        where = ", ".join(map(str, roots))
        raise RecordsError(f"{where}: no records (looked for records.jsonl here and in every folder below)")
    whole, names = shards.merged(_table(runs, RUN))
    tables = _renamed(_table(problems, PROBLEM), names), _renamed(_table(candidates, CANDIDATE), names)
    return Records(whole, *tables, scores)


def _folders(roots: Sequence[Path]) -> dict[str, Path]:
    """Name -> folder of every run: the path below its root, after that of the root where there are several."""
    found: dict[Path, tuple[str, Path]] = {}
    for root in roots:
        if not root.exists():
            raise RecordsError(f"{root}: no such file or folder")
        for folder in sorted(file.parent for file in root.rglob("records.jsonl")):
            below = str(folder.relative_to(root)) if folder != root else folder.resolve().name
            found.setdefault(folder.resolve(), (spelled(below if len(roots) == 1 else str(folder)), folder))
    return dict(found.values())


def _renamed(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Rows of parts under the name of their run; without those of a part that is left out."""
    if all(part == run for part, run in names.items()) and set(table["run"]) <= set(names):
        return table
    kept = table[table["run"].isin(names)].assign(run=lambda rows: rows["run"].map(names).astype("str"))
    twice = kept[kept.duplicated(["run", "problem_id", *(["index"] if "index" in kept else [])])]
    if len(twice):
        first = twice.iloc[0]
        raise RecordsError(f"{first['run']}: problem {first['problem_id']} is in two of its shards")
    return kept


def _table(rows: list[dict[str, Any]], dtypes: Mapping[str, str]) -> pd.DataFrame:
    table = pd.DataFrame(rows) if rows else pd.DataFrame(columns=list(dtypes))
    return table.astype(dict(dtypes))


def _run(folder: Path, name: str) -> dict[str, Any]:
    summary = _summary(folder / "summary.json")
    config = _config(folder / "config.yaml")
    if not summary and not config:
        raise RecordsError(f"{folder}: records.jsonl without a config.yaml or a summary.json beside it")
    run = {key: summary.get(key, _named(config, key)) for key in ("strategy", "selection", "reduction", "policy",
                                                                  "prm", "dataset", "n", "seed")}  # fmt: skip
    for key in ("strategy", "n"):
        if run[key] is None:
            raise RecordsError(f"{folder}: neither summary.json nor config.yaml says what {key} is")
    strategy = _fields(config, "strategy")
    if strategy.get("chains") == run["n"] and strategy.get("sure") is None:
        run["strategy"] = "best_of_n"  # chains of one attempt are independent samples
    settings = {key: value for key, value in strategy.items() if key != "n"}
    settings |= {f"budget.{key}": value for key, value in _fields(config, "budget").items()}
    settings = {key: value for key, value in settings.items() if value is not None}  # no budget is no setting
    if run["reduction"]:
        settings["reduction"] = run["reduction"]
    groups = ("policy", "prm", "dataset")
    named = {key: run[key] for key in groups if run[key]}
    return run | {
        "run": name,
        "path": spelled(str(folder)),
        "n": 1 if run["strategy"] == "greedy" else run["n"],  # greedy has no n: its one candidate is the run
        "width": strategy.get("width"),
        "chains": strategy.get("chains"),
        "settings": ", ".join(f"{key}={value}" for key, value in sorted(settings.items())),
        "fields": strategy,
        "setup": named | {f"{group}.{key}": value for group in groups for key, value in _fields(config, group).items()},
        "finished": bool(summary),
        "policy_parameters": summary.get("policy_parameters"),
        "wall_seconds": summary.get("wall_seconds"),
        **shards.part(config),
    }


def _fields(config: Mapping[str, Any], group: str) -> dict[str, Any]:
    """Dotted key -> value of a group, of everything that can change a result; a list as its text."""
    content = config.get(group)
    inside = identity.settings(content) if isinstance(content, Mapping) else {}
    texts = {key: str(value) if isinstance(value, list) else value for key, value in inside.items()}
    return {key: value for key, value in texts.items() if key not in IMMATERIAL}


def _summary(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RecordsError(f"{path}: not JSON ({error})") from error
    if not isinstance(content, dict):
        raise RecordsError(f"{path}: not a JSON object")
    return content


def _config(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        content = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    except (ValueError, YAMLError, OmegaConfBaseException) as error:
        raise RecordsError(f"{path}: {' '.join(str(error).split())}") from error
    return {str(key): value for key, value in current(content).items()} if isinstance(content, dict) else {}


def _named(config: Mapping[str, Any], key: str) -> Any:
    """What a run without a summary calls its component: the file of its class, for ttcs.strategies.dvts.DVTS "dvts"."""
    value = config.get(key)
    if not isinstance(value, Mapping):
        return value
    for field in ("name", "model", "path"):
        if isinstance(value.get(field), str):
            return value[field]
    target = str(value["_target_"]).split(".") if "_target_" in value else []
    return (target[-2] if key == "strategy" and len(target) > 1 else target[-1].lower()) if target else None


def _rows(path: Path, run: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each line as a row of problems and its rows of candidates."""
    seen: dict[str, int] = {}
    for number, record in _lines(path):
        try:
            first = seen.setdefault(record["problem_id"], number)
            if first != number:
                raise RecordsError(f"{path}:{number}: problem {record['problem_id']} again (first on line {first})")
            yield _problem(record, run), _candidates(record, run)
        except (KeyError, TypeError, AttributeError) as error:
            what = f"no field {error}" if isinstance(error, KeyError) else str(error)
            raise RecordsError(f"{path}:{number}: malformed record: {what}") from error


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            if number == len(lines):  # no newline after it: the run is writing it, or was stopped while it did
                warnings.warn(f"{path}:{number}: incomplete last line skipped (a run in progress?)", stacklevel=2)
                return
            raise RecordsError(f"{path}:{number}: not JSON ({error})") from error
        if not isinstance(record, dict):
            raise RecordsError(f"{path}:{number}: not a JSON object")
        yield number, record


def _problem(record: Mapping[str, Any], run: Mapping[str, Any]) -> dict[str, Any]:
    known = {key: record.get(key) for key in PROBLEM}
    return {**record.get("ledger", {}), **known, "run": run["run"], "problem_id": str(record["problem_id"]),
            "correct": record["correct"], "n_candidates": len(record["candidates"])}  # fmt: skip


def _candidates(record: Mapping[str, Any], run: Mapping[str, Any]) -> list[dict[str, Any]]:
    nodes = {node["node"]: node for node in record.get("tree", ())}
    leaves = {candidate.get("leaf"): index for index, candidate in enumerate(record["candidates"])}
    numbers: Numbers = {}
    shared = {"run": run["run"], "strategy": run["strategy"], "n": run["n"], "seed": run["seed"],
              "problem_id": str(record["problem_id"]), "level": record.get("level")}  # fmt: skip
    return [
        {**shared, "index": index, "subtree": candidate.get("subtree"), "group": candidate["group"],
         "answer": candidate.get("answer"), "score": candidate.get("score"), "correct": candidate.get("correct"),
         "tokens": candidate.get("tokens"), "thinking": candidate.get("thinking"), "stop": candidate.get("stop"),
         "revises": leaves.get(next(reversed(candidate.get("revises", ())), None)),
         "confidence": candidate.get("confidence"), "step_scores": _step_scores(nodes, candidate.get("leaf")),
         "prefixes": _prefixes(nodes, candidate.get("leaf"), numbers)}
        for index, candidate in enumerate(record["candidates"])
    ]  # fmt: skip


def _step_scores(nodes: Mapping[int, Mapping[str, Any]], leaf: int | None) -> tuple[float, ...]:
    scores = (node.get("score") for node in _path(nodes, leaf))
    return tuple(score for score in scores if score is not None)


def _prefixes(nodes: Mapping[int, Mapping[str, Any]], leaf: int | None, numbers: Numbers) -> Prefixes:
    path = [node for node in _path(nodes, leaf) if not (node.get("thinking") or node.get("given"))]
    if all(node.get("score") is None for node in path):
        return ()
    return numbered([(node.get("text", ""), node.get("tokens") or 0) for node in path], numbers)


def _path(nodes: Mapping[int, Mapping[str, Any]], leaf: int | None) -> list[Mapping[str, Any]]:
    """The steps of a candidate, in order."""
    backwards: list[Mapping[str, Any]] = []
    while leaf is not None and leaf in nodes:
        backwards.append(nodes[leaf])
        leaf = nodes[leaf]["parent"]
    return backwards[::-1]
