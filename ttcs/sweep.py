"""Hydra's hooks: wrong input is told before a folder is made or a model is loaded, a sweep ends with one table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig

from ttcs import progress
from ttcs.errors import UserError
from ttcs.explain import answering
from ttcs.runner import Plan, left_out
from ttcs.summary import Summary


class Hooks(Callback):
    def __init__(self) -> None:
        self._points: list[tuple[dict[str, str], Summary]] = []

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        with answering():  # Hydra makes a warning of any exception but SystemExit
            Plan.of(config)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        with answering():
            if any(override.startswith("hydra.run.dir=") for override in config.hydra.overrides.hydra):
                raise UserError("hydra.run.dir is the folder of a single run; a sweep (-m) takes hydra.sweep.dir")
            for point in points(config):
                if not left_out(point, point.hydra.runtime.choices.strategy):
                    Plan.of(point)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        if config.hydra.mode is RunMode.MULTIRUN and isinstance(job_return._return_value, Summary):
            overrides = dict(override.split("=", 1) for override in job_return.overrides or ())
            self._points.append((overrides, job_return.return_value))

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        if len(self._points) > 1:
            progress.show_sweep(self._points)


def points(config: DictConfig) -> Iterator[DictConfig]:
    """The configurations of a sweep; none for a sweeper that chooses its points as it goes."""
    if not config.hydra.sweeper._target_.endswith(".BasicSweeper"):
        return
    loader = GlobalHydra.instance().config_loader()
    given = [f"{key}={value}" for key, value in (config.hydra.sweeper.params or {}).items()]
    overrides = OverridesParser.create(config_loader=loader).parse_overrides([*given, *config.hydra.overrides.task])
    for batch in BasicSweeper.split_arguments(overrides, max_batch_size=None):
        yield from (loader.load_sweep_config(config, list(point)) for point in batch)
