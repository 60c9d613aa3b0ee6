"""Weights & Biases: a run of a project for each run, those of a sweep in one group."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from ttcs.config.writable import made
from ttcs.errors import UserError
from ttcs.running.loggers.finished import Finished
from ttcs.running.loggers.logger import needs, within


@dataclass(frozen=True, slots=True)
class WandB:
    """project, entity (None: one's own), mode ("online", "offline"; None: WANDB_MODE, or online): as wandb has them.

    folder: where it keeps its files. timeout: seconds that telling it of a run may take.
    """

    project: str
    entity: str | None
    mode: Literal["online", "offline"] | None
    folder: str
    timeout: float

    def __post_init__(self) -> None:
        needs("wandb", "wandb")
        if self.mode not in (None, "online", "offline"):
            raise UserError(f"logger.mode={self.mode} is not online, offline or null")

    def log(self, run: Finished) -> str:
        return within(self.timeout, partial(self._log, run))

    def _log(self, run: Finished) -> str:
        import wandb

        settings = wandb.Settings(
            silent=True,
            console="off",
            login_timeout=self.timeout,
            init_timeout=self.timeout,
            finish_timeout=self.timeout,  # at the end of the process too
        )
        with wandb.init(
            project=self.project,
            entity=self.entity,
            mode=self.mode,
            dir=str(made(Path(self.folder))),
            id=blake2b(run.name.encode(), digest_size=8).hexdigest(),  # the same run takes the place of what was there
            name=run.name,
            group=run.sweep,
            config=dict(run.parameters),
            reinit="create_new",
            settings=settings,
        ) as told:
            told.define_metric("n")
            told.define_metric("accuracy_vs_n/*", step_metric="n")
            for n in sorted({n for curve in run.curves.values() for n in curve}):
                values = {f"accuracy_vs_n/{one}": curve[n] for one, curve in run.curves.items() if n in curve}
                told.log({"n": n, **values})
            told.log({f"figures/{file.stem}": wandb.Image(str(file)) for file in run.figures})
            told.summary.update(dict(run.metrics))
            return told.dir if told.offline else str(told.url)
