"""One run: the problems that are not done yet are searched, graded and appended to the records of its folder."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from ttcs import progress
from ttcs.components import build, complete, share
from ttcs.core import Problem
from ttcs.difficulty import Difficulty
from ttcs.errors import EngineError, UserError, told
from ttcs.folder import RECORDS, SUMMARY, claim, write
from ttcs.identity import portable, register_resolvers
from ttcs.options import options
from ttcs.records import Record, RecordFile, read
from ttcs.session import METHOD, session
from ttcs.summary import Setting, Summary, summarize
from ttcs.workers.pool import parallel

PLOT = "accuracy.png"
GROUPS = "strategy", "selection", "reduction", "policy", "prm", "dataset", "difficulty"

register_resolvers()
OmegaConf.register_new_resolver("options", options, replace=True)


@dataclass(frozen=True, slots=True)
class Plan:
    """What there is to do. Making one finds everything wrong that can be found without loading a model."""

    difficulty: Difficulty
    problems: tuple[Problem, ...]

    @classmethod
    def of(cls, config: DictConfig) -> Plan:
        whole(config, "n", 1)
        whole(config, "seed", 0)
        whole(config, "workers", 1)
        if config.open is not None:
            whole(config, "open", 1)
        for model in ("policy", "prm"):
            complete(config, model)
        for key in METHOD:
            build(config, key)
        return cls(build(config, "difficulty"), share(config, "dataset"))


def job(config: DictConfig) -> Summary | None:
    """The task Hydra runs, once per point of a sweep; None where the sweep leaves the point out."""
    runtime = HydraConfig.get().runtime
    if left_out(config, runtime.choices["strategy"]):
        with suppress(OSError):  # Hydra has made it already
            Path(runtime.output_dir).rmdir()
        return None
    folder = Path(os.path.relpath(runtime.output_dir))
    plan = Plan.of(config)
    setting = Setting(config.n, config.seed, **{group: runtime.choices[group] for group in GROUPS})
    with RecordFile(folder / RECORDS) as records:
        claim(folder, portable(config))
        searched = _search(plan, config, records, setting.strategy)
    return conclude(folder, plan.difficulty, setting, searched)


def conclude(folder: Path, difficulty: Difficulty, setting: Setting, redraw: bool) -> Summary:
    """Write the totals and the plot of a folder whose records are complete, and show them."""
    summary = summarize(read(folder / RECORDS), difficulty, setting)
    write(folder / SUMMARY, summary.to_json())
    files = [folder / RECORDS]
    if summary.accuracy is not None:
        if (redraw or not (folder / PLOT).exists()) and (reason := plot(folder)):
            progress.console.print(f"no plot: {reason}", markup=False)
        files += [folder / PLOT] if (folder / PLOT).exists() else []
    progress.show(summary, files)
    return summary


def _search(plan: Plan, config: DictConfig, records: RecordFile, title: str) -> bool:
    """Bring the records up to date; False if they were."""
    done, seconds = _done(records.path, plan.problems)
    waiting = [problem for problem in plan.problems if problem.id not in done]
    if not waiting:
        return False
    with _resumable(done, len(plan.problems)):
        found = (session if config.workers == 1 else parallel)(config, waiting, seconds)
        with progress.Bar(title, done.values(), len(plan.problems)) as bar:
            for record in found:
                records.append(record)
                done[record.problem_id] = record.correct
                bar.advance(record)
    return True


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


def plot(folder: Path) -> str | None:
    """Draw the curve of a run, or say why there is none: that is no reason to lose the run."""
    from analysis.figures.curve import accuracy_vs_n  # only here: matplotlib takes its time to import
    from analysis.load import RecordsError

    try:
        accuracy_vs_n(folder)
    except RecordsError as error:
        return str(error)
    return None


def left_out(config: DictConfig, strategy: str) -> bool:
    """Whether n is outside of what `span` gives the strategy."""
    smallest, largest = config.span.get(strategy, (1, math.inf))
    return not smallest <= whole(config, "n", 1) <= largest


def whole(config: DictConfig, key: str, least: int) -> int:
    value = config[key]
    if type(value) is not int or value < least:
        raise UserError(f"{key}={value} is not a whole number of at least {least}")
    return value
