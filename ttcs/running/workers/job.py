"""What a worker is told to do."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, Self

from omegaconf import DictConfig, OmegaConf

from ttcs.running.session import METHOD


@dataclass(frozen=True, slots=True)
class Job:
    """A run without its problems, which are dealt one by one.

    config: resolved. seconds: the clock of the run so far. path: where the parent finds its modules.
    """

    config: dict[str, Any]
    seconds: float
    path: tuple[str, ...]

    @classmethod
    def of(cls, config: DictConfig, seconds: float) -> Self:
        parts = {key: OmegaConf.to_container(config[key], resolve=True) for key in (*METHOD, "policy", "prm")}
        own = {key: config[key] for key in ("seed", "open", "ahead")}
        return cls({**parts, **own}, seconds, tuple(sys.path))
