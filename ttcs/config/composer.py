"""Configurations by the words of a command, for a program that calls us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig

from ttcs.config import quoting, ranges
from ttcs.config.components import complete
from ttcs.config.explain import MISTAKES, explain
from ttcs.config.home import typed
from ttcs.config.loading import loaded
from ttcs.config.named import beside, reachable
from ttcs.errors import UserError


@dataclass(frozen=True, slots=True)
class Composer:
    """folder: yamls of one's own beside those of the project, as `--config-dir` names them."""

    folder: Path | None = None

    def __post_init__(self) -> None:
        if self.folder is not None and not self.folder.is_dir():
            raise UserError(f"{self.folder} is no folder with yamls of your own")
        if self.folder is not None:
            reachable(*beside(self.folder))

    def __call__(self, words: Sequence[str], needed: Sequence[str]) -> DictConfig:
        """The configuration of a run as the words set it. needed: its keys that have to be complete.

        UserError, in the line that the command says, for what is wrong with it.
        """
        overrides = typed(words)
        try:
            quoting.checked(overrides)
            config = loaded("config", overrides, self.folder)
            for key in needed:
                complete(config, key)
            ranges.check(config)
        except MISTAKES as error:
            raise UserError(explain(error, overrides) or str(error)) from error
        return config
