"""One run: the problems that are not done yet are searched, graded and appended to the records of its folder."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, ListConfig

from ttcs.choice import confident
from ttcs.choice.difficulty import Difficulty
from ttcs.choice.matching import mismatch
from ttcs.choice.sharing import Sharing
from ttcs.config import ranges
from ttcs.config.components import build, complete, share
from ttcs.config.file import load
from ttcs.config.identity import portable
from ttcs.config.paths import here
from ttcs.config.ranges import COUNT
from ttcs.core import Problem
from ttcs.errors import EngineError, UserError, told
from ttcs.records.folder import CONFIG, RECORDS, SUMMARY, claim, write
from ttcs.records.record import Record
from ttcs.records.record_file import RecordFile, read
from ttcs.records.summary import Setting, Summary, summarize
from ttcs.running import naming, progress, rounds
from ttcs.running.contents import Contents, check, keep
from ttcs.running.memory import divided
from ttcs.running.naming import called
from ttcs.running.picture import Draw, drawn
from ttcs.running.session import METHOD, session
from ttcs.running.workers.placement import unused
from ttcs.running.workers.pool import parallel

PLOT = "accuracy.png"
GROUPS = "strategy", "selection", "reduction", "policy", "prm", "dataset", "difficulty"

naming.register()


@dataclass(frozen=True, slots=True)
class Plan:
    """What there is to do. Making one finds everything wrong that can be found without loading a model.

    shares: the problems share a budget.
    """

    difficulty: Difficulty
    problems: tuple[Problem, ...]
    shares: bool

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Plan:
        for key in ("n", "seed", "workers"):
            whole(config, key, 0 if key == "seed" else 1)
        for key, least in (("open", 1), ("ahead", 0)):
            if config.get(key) is not None:
                whole(config, key, least)
        for key in ("policy", "prm", "difficulty", "dataset", *METHOD):
            complete(config, key)
        ranges.check(config)
        strategy, selection, _, budget, _ = (build(config, key) for key in METHOD)
        confident.check(selection, config["strategy"])
        if shares := isinstance(budget, Sharing):
            rounds.check(config, strategy, budget)
        return cls(build(config, "difficulty"), share(config, "dataset"), shares)


def job(config: DictConfig) -> Summary | None:
    """The task Hydra runs, once per point of a sweep; None where the sweep leaves the point out."""
    runtime = HydraConfig.get().runtime
    if left_out(config, runtime.choices["strategy"]):
        with suppress(OSError):  # Hydra has made it already
            Path(runtime.output_dir).rmdir()
        return None
    folder = here(Path(runtime.output_dir))
    plan = Plan.of(config)
    names = {group: called(group, runtime.choices[group], config[group]) for group in GROUPS}
    setting = Setting(config.n, config.seed, **names)
    warn(config, runtime.choices)
    with RecordFile(folder / RECORDS) as records:
        claim(folder, portable(config))
        check(folder, Contents.of(config, plan.problems))
        searched = _search(plan, config, records, setting.strategy)
    return conclude(folder, plan.difficulty, setting, build(config, "picture"), searched)


def warn(config: Mapping[str, Any], choices: Mapping[str, str]) -> None:
    """Say so where a rule that is asked when there are enough samples stops another vote than the selection's."""
    if config["strategy"].get("stopping") is None:
        return
    stopping, selection = build(config, "strategy.stopping"), build(config, "selection")
    if line := mismatch(stopping, selection, choices["stopping"], choices["selection"]):
        warnings.warn(line, stacklevel=1)


def conclude(folder: Path, difficulty: Difficulty, setting: Setting, draw: Draw, redraw: bool) -> Summary:
    """Write the totals and the picture of a folder whose records are complete, and show them."""
    max_tokens = load(folder / CONFIG)["policy"].get("max_tokens")
    summary = summarize(read(folder / RECORDS), difficulty, setting, max_tokens)
    write(folder / SUMMARY, summary.to_json())
    files = [folder / RECORDS]
    if summary.accuracy is not None:
        if redraw or not (folder / PLOT).exists():
            drawn(draw, folder)
        files += [folder / PLOT] if (folder / PLOT).exists() else []
    progress.show(summary, files)
    return summary


def _search(plan: Plan, config: DictConfig, records: RecordFile, title: str) -> bool:
    """Bring the records up to date; False if they were."""
    done, seconds = _done(records.path, plan.problems)
    waiting, folder = [problem for problem in plan.problems if problem.id not in done], records.path.parent
    if not waiting:
        return False
    keep(folder, Contents.of(config, plan.problems))
    if note := unused(config):
        progress.console.print(f"  {note}", markup=False)
    with _resumable(done, len(plan.problems)):
        found = _begun(plan, divided(config), waiting, folder, seconds)
        keep(folder, Contents.of(config, plan.problems))  # what was loaded may have come from the Hub just now
        with progress.Bar(title, done.values(), len(plan.problems)) as bar:
            for record in found:
                records.append(record)
                done[record.problem_id] = record.correct
                bar.advance(record)
    return True


def _begun(
    plan: Plan, config: DictConfig, waiting: Sequence[Problem], folder: Path, seconds: float
) -> Iterator[Record]:
    if plan.shares:
        return rounds.session(config, plan.problems, {problem.id for problem in waiting}, folder, seconds)
    return (session if config.workers == 1 else parallel)(config, waiting, seconds)


def belongs(record: Record, references: Mapping[str, str | None], path: Path) -> None:
    """UserError when a record of the file `path` is of no problem with these references."""
    if references.get(record.problem_id, record) != record.reference:
        raise UserError(f"{path}: problem {record.problem_id} is not that of the dataset, which must have changed")


@contextmanager
def _resumable(done: Sized, total: int) -> Iterator[None]:
    """Adds to the failure of an engine that it is not the end of the run."""
    try:
        yield
    except Exception as error:
        failure = told(error)
        if not isinstance(failure, EngineError):
            raise
        kept = f"{len(done)} of {total} problems are on record, and the same command goes on from there"
        raise EngineError(f"{failure}; {kept}") from error


def _done(path: Path, problems: Sequence[Problem]) -> tuple[dict[str, bool | None], float]:
    """Problem id -> correct, of the problems on record, and the clock of the last one."""
    references = {problem.id: problem.answer for problem in problems}
    done: dict[str, bool | None] = {}
    seconds = 0.0
    for record in read(path):
        belongs(record, references, path)
        done[record.problem_id] = record.correct
        seconds = max(seconds, record.run_seconds)
    return done, seconds


def left_out(config: Mapping[str, Any], strategy: str) -> bool:
    """Whether n is outside of what `span` gives the strategy."""
    n = whole(config, "n", 1)
    span = (config.get("span") or {}).get(strategy)
    if span is None:
        return False
    if not isinstance(span, ListConfig) or len(span) != 2 or not all(COUNT.hold(limit) for limit in span):
        raise UserError(f"span.{strategy}={span} is not the smallest and the largest n of a strategy, as in [4,64]")
    smallest, largest = span
    return not smallest <= n <= largest


def whole(config: Mapping[str, Any], key: str, least: int) -> int:
    value: int | None = config.get(key)
    if type(value) is not int or value < least:
        raise UserError(f"{key}={value} is not a whole number of at least {least}")
    return value
