"""The configuration of a run as a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from yaml import YAMLError  # type: ignore[import-untyped]

from ttcs.config.identity import plain
from ttcs.config.moved import current
from ttcs.errors import UserError


def load(path: Path) -> dict[str, Any]:
    """The configuration of a run, from its folder, its targets under the names that they have now.

    UserError where there is none, or none that can be read.
    """
    try:
        config = OmegaConf.load(path)
    except FileNotFoundError as error:
        raise UserError(f"{path.parent} holds records but no {path.name}: it is not the folder of a run") from error
    except (YAMLError, OSError) as error:
        raise UserError(f"{path} cannot be read") from error
    if not isinstance(config, DictConfig):
        raise UserError(f"{path} is not the configuration of a run")
    loaded: dict[str, Any] = current(plain(config))
    return loaded


def text(config: Mapping[str, Any]) -> str:
    """YAML."""
    return OmegaConf.to_yaml(OmegaConf.create(dict(config)))
