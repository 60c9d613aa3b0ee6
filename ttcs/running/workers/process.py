"""One worker: `python -m ttcs.running.workers.process LINK`, started and spoken to by a `Pool`.

LINK is the file descriptor of its link. It serves job after job until the link closes, and keeps the models of all.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from threading import Thread

from omegaconf import OmegaConf

from ttcs.config.streams import forgiving
from ttcs.config.warned import plainly
from ttcs.core import Problem
from ttcs.errors import EngineError, UserError, told
from ttcs.records.record import Record
from ttcs.running.session import session
from ttcs.running.workers.deal import Word
from ttcs.running.workers.job import Job


@dataclass(slots=True)
class Supply:
    """The problems that the parent deals to this worker."""

    link: Connection
    refused: bool = False

    def __iter__(self) -> Iterator[Problem | None]:
        """None where there is none before a record was handed in."""
        while True:
            if self.refused:
                yield None
                continue
            self.link.send(Word.MORE)
            reply = self.link.recv()
            if reply is Word.OVER:
                return
            self.refused = reply is Word.LATER
            yield None if self.refused else reply

    def hand_in(self, record: Record) -> None:
        self.link.send(record)
        self.refused = False


def main() -> None:
    forgiving()
    Thread(target=_die_with_parent, daemon=True).start()
    link = Connection(int(sys.argv[1]))
    with plainly(), suppress(EOFError, ConnectionError):  # the parent has closed the link
        while True:
            _work(link, link.recv())


def _work(link: Connection, job: Job) -> None:
    """One job. What goes wrong is the parent's to tell: as the line for the user, or for a bug with its traceback."""
    sys.path[:] = job.path
    supply = Supply(link)
    try:
        for record in session(OmegaConf.create(job.config), supply, job.seconds):
            supply.hand_in(record)
        link.send(Word.DONE)
    except Exception as error:
        link.send(_portable(error))


def _portable(error: Exception) -> Exception:
    """What the parent is to raise; of our own classes, since not every exception survives being sent."""
    line = told(error)
    if line is None:
        return RuntimeError(f"in a worker:\n{traceback.format_exc()}")
    return (EngineError if isinstance(line, EngineError) else UserError)(str(line))


def _die_with_parent() -> None:
    """However the parent ends, the pipe that is our standard input ends with it: then so does all we have started."""
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
