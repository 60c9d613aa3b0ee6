"""A scripted policy that takes its time, so that a run lasts long enough to be stopped in the middle."""

from __future__ import annotations

from dataclasses import dataclass
from time import sleep

from ttcs.core import Continued
from ttcs.policies.scripted import ScriptedPolicy


@dataclass(slots=True)
class SlowPolicy(ScriptedPolicy):
    """pause: seconds per step of the engine."""

    pause: float = 0.3

    def step(self) -> list[tuple[int, Continued]]:
        sleep(self.pause)
        return ScriptedPolicy.step(self)
