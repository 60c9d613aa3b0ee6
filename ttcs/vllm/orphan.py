"""Ends an engine's process with ours, however that ends: vLLM would leave it and its memory behind for ever."""

from __future__ import annotations

import os
import signal
import time
from threading import Thread

PARENT = "TTCS_ENGINE_PARENT"  # in the environment of engines: the process that started them
LOOK = 1.0  # seconds


def watch() -> None:
    """vLLM calls this in all of its processes, as one of its plugins (see pyproject.toml).

    Those that an engine's process has started end with it by vLLM's own doing.
    """
    if os.environ.get(PARENT) == str(os.getppid()):
        Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK)
    os.kill(os.getpid(), signal.SIGKILL)
