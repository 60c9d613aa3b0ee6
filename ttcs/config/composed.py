"""A component by the words that `python -m ttcs` takes for it."""

from __future__ import annotations

from collections.abc import Sequence

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import DictConfig

from ttcs.config import ranges
from ttcs.config.components import complete
from ttcs.config.explain import MISTAKES, explain
from ttcs.config.home import typed
from ttcs.config.options import CONF
from ttcs.errors import UserError


def composed(group: str, words: Sequence[str]) -> DictConfig:
    """A configuration with the key `group`. words: an option of it, and overrides: [zoo, policy.top_p=0.9]."""
    if not words:
        raise UserError(
            f"a {group} is named by an option of the group {group} and its overrides, [zoo, {group}.top_p=0.9]"
        )
    overrides = [f"{group}={words[0]}", *typed(words[1:])]
    try:
        config = _loaded(overrides)
    except MISTAKES as error:
        raise UserError(explain(error, overrides) or str(error)) from error
    complete(config, group)
    ranges.check(config)
    return config


def _loaded(overrides: list[str]) -> DictConfig:
    running = GlobalHydra.instance()
    if running.is_initialized():  # the command's own, and only one may be at work
        return running.config_loader().load_configuration("config", overrides, run_mode=RunMode.RUN)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", overrides)
