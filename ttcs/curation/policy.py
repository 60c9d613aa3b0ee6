"""A policy by the words that `python -m ttcs` takes for it."""

from __future__ import annotations

from collections.abc import Sequence

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import DictConfig

from ttcs import ranges
from ttcs.components import complete
from ttcs.errors import UserError
from ttcs.explain import MISTAKES, explain
from ttcs.options import CONF


def composed(words: Sequence[str]) -> DictConfig:
    """A configuration with the key `policy`. words: an option of the group, and overrides: [zoo, policy.top_p=0.9]."""
    if not words:
        raise UserError("a policy is named by an option of the group policy and its overrides, [zoo, policy.top_p=0.9]")
    overrides = [f"policy={words[0]}", *words[1:]]
    try:
        config = _loaded(overrides)
    except MISTAKES as error:
        raise UserError(explain(error, overrides) or str(error)) from error
    complete(config, "policy")
    ranges.check(config)
    return config


def _loaded(overrides: list[str]) -> DictConfig:
    running = GlobalHydra.instance()
    if running.is_initialized():  # the command's own, and only one may be at work
        return running.config_loader().load_configuration("config", overrides, run_mode=RunMode.RUN)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", overrides)
