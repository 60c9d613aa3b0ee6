"""Configurations by the words of a command, for a program that calls us."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from ttcs.config import quoting, ranges
from ttcs.config.components import complete
from ttcs.config.explain import MISTAKES, explain, unknown_option
from ttcs.config.home import typed
from ttcs.config.loading import listed, loaded
from ttcs.config.named import beside, reachable
from ttcs.errors import UserError

SHOWN = 100  # characters of a name that there is not


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

    def changed(self, config: DictConfig, numbers: Sequence[tuple[str, int]]) -> DictConfig:
        """The configuration with other numbers, by dotted key; what is computed from them follows.

        UserError for a key that there is not, and for what comes of them that is out of its range.
        """
        if not numbers:
            return config
        made = deepcopy(config)
        for key, number in numbers:
            group, _, name = key.rpartition(".")
            node = OmegaConf.select(made, group) if group else made
            if name not in node.keys():  # noqa: SIM118 (a key without a value is not `in` it)
                raise UserError(f"there is no key {key}")
            OmegaConf.update(made, key, number)
        try:
            ranges.check(made)
        except MISTAKES as error:
            raise UserError(explain(error, ()) or str(error)) from error
        return made

    def option(self, group: str, name: object) -> str:
        """The name, where it is one of the group's options.

        UserError for anything else: as a word it would be read as Hydra reads values, which may name any file, function
        or variable of the environment.
        """
        options = listed(group, self.folder)
        if not isinstance(name, str) or name not in options:
            raise UserError(unknown_option(group, str(name)[:SHOWN], options))
        return name
