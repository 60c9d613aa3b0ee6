"""No logger."""

from __future__ import annotations

from dataclasses import dataclass

from ttcs.running.loggers.finished import Finished


@dataclass(frozen=True, slots=True)
class NoLogger:
    """What a run leaves in its folder is all there is."""

    def log(self, run: Finished) -> None:
        """Nothing."""
