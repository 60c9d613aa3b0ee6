"""A worker process as the parent sees it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from ttcs.config.identity import PACKAGE
from ttcs.errors import EngineError

PATIENCE = 10.0  # seconds an idle worker has to end by itself, and a dying one to be gone


@dataclass(frozen=True, slots=True)
class Worker:
    """A process and the link to it.

    A fresh interpreter, because CUDA outlives no fork; and by subprocess, because multiprocessing would set the
    environment only after imports that read it, and forbids a daemon the processes that an engine starts.
    """

    number: int  # from 1
    process: subprocess.Popen[bytes]
    link: Connection

    @classmethod
    def start(cls, number: int, environment: Mapping[str, str]) -> Worker:
        ours, theirs = Pipe()
        path = os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")]))
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "ttcs.running.workers.process", str(theirs.fileno())],
                stdin=subprocess.PIPE,  # never written to: its end is how a worker learns of ours
                stdout=2,  # what a library prints belongs in no table
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the parent; and a group to end with all that a worker started
                env={**os.environ, "PYTHONPATH": path, **environment},
            )
        return cls(number, process, ours)

    def send(self, message: Any) -> None:
        try:
            self.link.send(message)
        except ConnectionError as error:
            raise EngineError(self.obituary()) from error

    def receive(self) -> Any:
        """The next message. EngineError when the worker has died."""
        try:
            return self.link.recv()
        except (EOFError, ConnectionError) as error:
            raise EngineError(self.obituary()) from error

    def obituary(self) -> str:
        self.wait()
        code = self.process.returncode
        if code is None:
            return f"worker {self.number} no longer answers"
        if code < 0:
            reason = "; the machine may have run out of memory" if code == -signal.SIGKILL else ""
            return f"worker {self.number} was killed by {signal.Signals(-code).name}{reason}"
        return f"worker {self.number} ended with exit code {code}"

    def dismiss(self) -> None:
        """Let an idle one end by itself, so that its engines clean up."""
        self.link.close()

    def wait(self) -> None:
        """Until it has ended, or long enough."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(PATIENCE)

    def kill(self) -> None:
        """End it, and whatever it has started and left behind."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.link.close()
        assert self.process.stdin is not None
        self.process.stdin.close()
