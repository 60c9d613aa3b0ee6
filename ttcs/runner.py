"""One run: the problems that are not done yet are searched, graded and appended to the records of its folder."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from ttcs import progress
from ttcs.components import build, complete, share
from ttcs.core import PRM, Problem, Reduction, Selection, Strategy
from ttcs.difficulty import Difficulty
from ttcs.errors import UserError
from ttcs.folder import RECORDS, SUMMARY, claim, write
from ttcs.grade import grade
from ttcs.identity import portable, register_resolvers
from ttcs.ledger import Budget
from ttcs.options import options
from ttcs.records import RecordFile, read
from ttcs.scheduler import run
from ttcs.summary import Setting, Summary, summarize

PLOT = "accuracy.png"
GROUPS = "strategy", "selection", "reduction", "policy", "prm", "dataset", "difficulty"

register_resolvers()
OmegaConf.register_new_resolver("options", options, replace=True)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything of a run that can be had, and found wrong, without loading a model."""

    strategy: Strategy
    selection: Selection
    reduction: Reduction
    difficulty: Difficulty
    budget: Budget
    problems: tuple[Problem, ...]

    @classmethod
    def of(cls, config: DictConfig) -> Plan:
        whole(config, "n", 1)
        whole(config, "seed", 0)
        for model in ("policy", "prm"):
            complete(config, model)
        parts = {key: build(config, key) for key in ("strategy", "selection", "reduction", "difficulty", "budget")}
        return cls(**parts, problems=share(config, "dataset"))


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
    summary = summarize(read(folder / RECORDS), plan.difficulty, setting)
    write(folder / SUMMARY, summary.to_json())
    files = [folder / RECORDS]
    if summary.accuracy is not None:
        if (searched or not (folder / PLOT).exists()) and (reason := _plot(folder)):
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
    policy = share(config, "policy")
    policy.reset()
    clock = Clock(seconds)

    def prm() -> PRM:
        with clock.stopped():
            loaded: PRM = share(config, "prm")
            loaded.reset()
            return loaded

    with progress.Bar(title, done.values(), len(plan.problems)) as bar:
        for outcome in run(plan.strategy, plan.selection, waiting, policy, prm, plan.budget, config.seed):
            record = grade(outcome, plan.selection, plan.reduction, clock.seconds())
            records.append(record)
            bar.advance(record)
    return True


def _done(path: Path, problems: Sequence[Problem]) -> tuple[dict[str, bool | None], float]:
    """Problem id -> correct, of the problems on record, and the clock of the last one."""
    references = {problem.id: problem.answer for problem in problems}
    done: dict[str, bool | None] = {}
    seconds = 0.0
    for record in read(path):
        if references.get(record.problem_id, record) != record.reference:
            raise UserError(f"{path}: problem {record.problem_id} is not that of the dataset, which must have changed")
        done[record.problem_id] = record.correct
        seconds = max(seconds, record.run_seconds)
    return done, seconds


def _plot(folder: Path) -> str | None:
    """Draw the curve of a run, or say why there is none: that is no reason to lose the run."""
    from analysis.figures import accuracy_vs_n  # only here: matplotlib takes its time to import
    from analysis.load import RecordsError

    try:
        accuracy_vs_n(folder)
    except RecordsError as error:
        return str(error)
    return None


class Clock:
    """Seconds a run has taken so far, earlier sessions included, the loading of models left out."""

    def __init__(self, seconds: float) -> None:
        self._zero = perf_counter() - seconds

    def seconds(self) -> float:
        return perf_counter() - self._zero

    @contextmanager
    def stopped(self) -> Iterator[None]:
        started = perf_counter()
        yield
        self._zero += perf_counter() - started


def left_out(config: DictConfig, strategy: str) -> bool:
    """Whether n is outside of what `span` gives the strategy."""
    smallest, largest = config.span.get(strategy, (1, math.inf))
    return not smallest <= whole(config, "n", 1) <= largest


def whole(config: DictConfig, key: str, least: int) -> int:
    value = config[key]
    if type(value) is not int or value < least:
        raise UserError(f"{key}={value} is not a whole number of at least {least}")
    return value
