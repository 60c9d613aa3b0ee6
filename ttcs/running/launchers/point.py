"""A point of a sweep that any process can run: what is sent to a job."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from ttcs.config.named import reachable
from ttcs.config.writable import made
from ttcs.errors import told
from ttcs.records.folder import RECORDS
from ttcs.records.record_file import read
from ttcs.records.summary import Summary
from ttcs.running.memory import expect
from ttcs.running.runner import Plan, job


@dataclass(frozen=True, slots=True)
class Point:
    """One run, composed when it was submitted: what is edited while its job waits in a queue does not reach it.

    name: the settings that tell it from the other points. config: with the part that is Hydra's. folder: absolute.
    path: where the parent finds its modules.
    beside: what `memory.beside` says of all of the sweep.
    """

    name: str
    config: DictConfig
    folder: Path
    path: tuple[str, ...]
    beside: bool

    @classmethod
    def of(cls, name: str, config: DictConfig, folder: str, beside: bool) -> Self:
        path = Path(folder).absolute()
        with read_write(config), open_dict(config):
            config.hydra.runtime.output_dir = str(path)
        return cls(name, config, path, tuple(sys.path), beside)

    @property
    def overrides(self) -> dict[str, str]:
        return dict(given.split("=", 1) for given in self.config.hydra.overrides.task)

    def finished(self) -> bool:
        """Whether every problem is on record, so that running it loads no model."""
        done = {record.problem_id for record in read(self.folder / RECORDS)}
        return all(problem.id in done for problem in Plan.of(self.config).problems)

    def run(self) -> Summary | None:
        """As Hydra's own launcher would run it in this process."""
        reachable(*map(Path, filter(None, self.path)))
        HydraConfig.instance().set_config(self.config)
        expect(self.beside)
        made(self.folder)
        own = [str(key) for key in self.config if key not in ("hydra", "launcher")]
        return job(OmegaConf.masked_copy(self.config, own))

    def tell(self, error: Exception) -> str:
        """What a person is told of the failure; it goes to stderr too, a bug with its traceback."""
        line = told(error)
        if line is None:
            traceback.print_exception(error)
        reason = f"{type(error).__name__}: {error}" if line is None else str(line)
        print(f"{self.mark}{reason}", file=sys.stderr, flush=True)
        return reason

    @property
    def mark(self) -> str:
        """What the line of a failure begins with in a log that several points share."""
        return f"error: {self.name}: "


class Launcher(Protocol):
    """Works on points somewhere else."""

    def launch(self, points: Sequence[Point]) -> Iterator[tuple[Point, str | None]]:
        """Points as they end, each with what went wrong (None: nothing); none of those that are left to themselves."""
        ...
