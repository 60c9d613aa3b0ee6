"""What a logger is, and how one is told of a run, which is on disk whatever that comes to."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Protocol

from omegaconf import DictConfig

from ttcs.config.components import build
from ttcs.errors import UserError
from ttcs.records.summary import Summary
from ttcs.running.loggers.finished import Finished
from ttcs.running.progress import console


class Logger(Protocol):
    """An option of the group `logger`. Making one is a UserError where what it needs is missing."""

    def log(self, run: Finished) -> str | None:
        """Where the run can be looked at now; None: nowhere. One that it has already been told of is there once."""
        ...


def tell(config: DictConfig, folder: Path, summary: Summary, sweep: str | None) -> None:
    """Have the logger of the configuration told of a run that has ended, or say why it is not.

    sweep: the name of the one that the run is a point of; None: it is no point.
    """
    try:
        logger: Logger = build(config, "logger")
        place = logger.log(Finished.of(config, folder, summary, sweep))
    except Exception as error:  # whatever is the matter with the tool, its server or the way to it
        reason = " ".join(str(error).split()) or type(error).__name__
        console.print(f"  not logged: {reason}", markup=False)
    else:
        if place is not None:
            console.print(f"  logged: {place}", markup=False)


def needs(module: str, extra: str) -> None:
    """UserError where the module of an optional extra is not installed."""
    if find_spec(module) is None:
        raise UserError(f"logger={extra}, but there is no {module}: pip install 'ttcs[{extra}]'")


def within(seconds: float, task: Callable[[], str]) -> str:
    """What the task returns. TimeoutError where it takes longer: it is left behind, and does not keep the process."""
    future: Future[str] = Future()

    def work() -> None:
        try:
            future.set_result(task())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=work, name="logger", daemon=True).start()
    try:
        return future.result(seconds)
    except TimeoutError as error:
        if future.done():  # it is the task's own
            raise
        raise TimeoutError(f"no answer within {seconds:g} s (logger.timeout)") from error
