"""What one job of a cluster runs."""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass

from submitit.core.utils import DelayedSubmission, UncompletedJobError

from ttcs.config.streams import forgiving
from ttcs.errors import UserError
from ttcs.running.launchers.point import Point


@dataclass(frozen=True, slots=True)
class Batch:
    """Points one after another in one process, so that each model is loaded once."""

    points: tuple[Point, ...]

    def __call__(self) -> None:
        """Exit code 2 when a point failed; the others are run all the same.

        SIGTERM announces the end of a job to all its processes. This one may go on until then, so those that it starts
        must not die of it, and they ignore what their parent ignores.
        """
        forgiving()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        failed = [point for point in self.points if not self._attempt(point)]
        if failed:
            sys.exit(2)

    def checkpoint(self) -> DelayedSubmission:
        """What a requeued job starts with: the same again, which goes on from the records."""
        return DelayedSubmission(self)

    def _attempt(self, point: Point) -> bool:
        try:
            point.run()
        except UncompletedJobError:  # submitit's handler of the signal before the time limit, wherever it struck
            point.tell(UserError("its job ran into the time limit once more than launcher.max_num_timeout"))
            sys.exit(2)
        except Exception as error:
            point.tell(error)
            return False
        return True
