"""A policy that takes its time."""

from __future__ import annotations

from time import sleep

from ttcs.core import Continued
from ttcs.policies.scripted import ScriptedPolicy


class Slow(ScriptedPolicy):
    def step(self) -> list[tuple[int, Continued]]:
        sleep(0.2)
        return ScriptedPolicy.step(self)
