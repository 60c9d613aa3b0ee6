"""Hydra's hooks: wrong input is told before a folder is made or a model is loaded, a sweep ends with one table.

Where a launcher works on the points elsewhere, the hooks do all that Hydra would: its own launchers give up every point
once one has failed, and can only be found in a package that a project cannot add to.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from ttcs.config.components import build
from ttcs.config.explain import answering, fail
from ttcs.config.home import HOME
from ttcs.config.paths import here
from ttcs.config.writable import made
from ttcs.errors import UserError
from ttcs.records.summary import Summary
from ttcs.running import progress
from ttcs.running.contents import Contents, check
from ttcs.running.launchers.point import Launcher, Point
from ttcs.running.loggers.logger import tell
from ttcs.running.memory import beside, expect
from ttcs.running.naming import sweep_name
from ttcs.running.runner import Plan, left_out


class Hooks(Callback):
    def __init__(self) -> None:
        self._points: list[tuple[dict[str, str], Summary]] = []
        self._sweep: str | None = None

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        with answering():  # Hydra makes a warning of any exception but SystemExit
            _check_folder(config, "run")
            build(config, "logger")
            Plan.of(config)
            made(Path(config.hydra.run.dir))  # Hydra would say it in many lines

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        with _ending(), answering():
            if any(override.startswith("hydra.run.dir=") for override in config.hydra.overrides.hydra):
                raise UserError("hydra.run.dir is the folder of a single run; a sweep (-m) takes hydra.sweep.dir")
            _check_folder(config, "sweep")
            build(config, "logger")
            wanted = list(points(config))
            self._sweep = None if len(wanted) == 1 else sweep_name(config)
            expect(beside(wanted) if wanted else None)
            for point in progress.track(wanted, "checking"):
                check(_folder(point), Contents.of(point, Plan.of(point).problems))
            made(Path(config.hydra.sweep.dir))
            if "launcher" in config:
                self._elsewhere(config, named(wanted))

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        summary = job_return._return_value
        if not isinstance(summary, Summary):
            return
        if config.hydra.mode is RunMode.MULTIRUN:
            overrides = dict(override.split("=", 1) for override in job_return.overrides or ())
            self._points.append((overrides, summary))
        tell(config, here(Path(config.hydra.runtime.output_dir)), summary, self._sweep)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        if len(self._points) > 1:
            progress.show_sweep(self._points)

    def _elsewhere(self, config: DictConfig, wanted: Sequence[Point]) -> NoReturn:
        """The whole sweep, and the end of the command. A point that fails leaves the others alone."""
        if not wanted:
            raise UserError("no point to submit: `span` leaves out all, or hydra.sweeper chooses them as it goes")
        launcher: Launcher = build(config, "launcher")
        failed: dict[Path, str] = {}
        waiting = {point.folder: point for point in wanted if not point.finished()}
        for point, reason in launcher.launch(list(waiting.values())):
            progress.console.print(f"{point.name}: {'done' if reason is None else 'failed'}", markup=False)
            if reason is not None:
                failed[point.folder] = f"{point.mark}{reason}"
        for point in wanted:
            if point.finished() and (summary := point.run()):
                self._points.append((point.overrides, summary))
                tell(point.config, here(point.folder), summary, self._sweep)
        self.on_multirun_end(config)
        if failed:
            print(*failed.values(), sep="\n", file=sys.stderr)
            fail(f"{len(failed)} of {len(wanted)} points failed; the same command runs what is missing")
        sys.exit()


@contextmanager
def _ending() -> Iterator[None]:
    """Hydra makes a warning of a bug too, and would go on to run the points in this process."""
    try:
        yield
    except Exception:
        traceback.print_exc()
        sys.exit(1)


def _check_folder(config: DictConfig, kind: str) -> None:
    """UserError for a folder in a yaml that Hydra would make under the name ~, before anybody can say where that is."""
    folder = str(OmegaConf.to_container(config.hydra[kind])["dir"])  # type: ignore[call-overload, index]
    if folder.startswith(HOME):
        raise UserError(f"hydra.{kind}.dir: {folder} in a yaml: write the folder out, or give it on the command line")


def points(config: DictConfig) -> Iterator[DictConfig]:
    """The configurations of a sweep that `span` does not leave out; none if a sweeper chooses them as it goes."""
    if not config.hydra.sweeper._target_.endswith(".BasicSweeper"):
        return
    loader = GlobalHydra.instance().config_loader()
    swept = [f"{key}={value}" for key, value in (config.hydra.sweeper.params or {}).items()]
    overrides = OverridesParser.create(config_loader=loader).parse_overrides([*swept, *config.hydra.overrides.task])
    every = [point for batch in BasicSweeper.split_arguments(overrides, max_batch_size=None) for point in batch]
    for given in progress.track([point for point in every if not _outside(config, point)], "composing"):
        point = loader.load_sweep_config(config, list(given))
        if not left_out(point, point.hydra.runtime.choices.strategy):
            yield point


def _outside(config: DictConfig, overrides: Sequence[str]) -> bool:
    """Whether a point is left out by what can be seen without composing it, which takes a tenth of a second."""
    given = dict(override.split("=", 1) for override in overrides)
    n = given.get("n", str(config.n))
    inside = n.isdigit() and not any(key.partition(".")[0] == "span" for key in given)
    strategy = given.get("strategy", config.hydra.runtime.choices.strategy)
    return inside and left_out(OmegaConf.create({"n": int(n), "span": config.span}), strategy)


def _folder(config: DictConfig) -> Path:
    """That of a point."""
    return Path(config.hydra.sweep.dir, config.hydra.sweep.subdir)


def named(configs: Sequence[DictConfig]) -> list[Point]:
    """The points of a sweep, called by the settings in which they differ."""
    given = [dict(override.split("=", 1) for override in config.hydra.overrides.task) for config in configs]
    swept = [key for key in given[0] if len({point.get(key) for point in given}) > 1] if given else []
    together = beside(configs)
    return [
        Point.of(
            " ".join(f"{key}={settings[key]}" for key in swept) or f"strategy={config.hydra.runtime.choices.strategy}",
            config,
            str(_folder(config)),
            together,
        )
        for config, settings in zip(configs, given, strict=True)
    ]
