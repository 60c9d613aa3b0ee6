"""Points side by side on this machine, in processes that joblib keeps, with the models they loaded, for the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

from ttcs.config.paths import here
from ttcs.config.writable import made
from ttcs.errors import UserError
from ttcs.running.launchers.point import Point

LOG = "log.txt"


@dataclass(frozen=True, slots=True)
class Joblib:
    """n_jobs: processes at once, each with models of its own (-1: as many as this process may use CPUs)."""

    n_jobs: int

    def __post_init__(self) -> None:
        if self.n_jobs < 1 and self.n_jobs != -1:
            raise UserError(f"launcher.n_jobs={self.n_jobs} is neither -1 nor a positive whole number")

    def launch(self, points: Sequence[Point]) -> Iterator[tuple[Point, str | None]]:
        try:
            from joblib import Parallel, delayed
            from joblib.externals.loky.process_executor import TerminatedWorkerError
        except ImportError as error:
            raise UserError("launcher=joblib needs joblib: pip install -e '.[joblib]'") from error
        left = dict(enumerate(points))
        parallel = Parallel(n_jobs=self.n_jobs, backend="loky", return_as="generator_unordered", batch_size=1)
        try:
            for number, reason in parallel(delayed(_attempt)(number, point) for number, point in enumerate(points)):
                yield left.pop(number), reason
        except TerminatedWorkerError:  # joblib gives up the others too
            for point in left.values():
                yield (
                    point,
                    None if point.finished() else "a process was killed, or out of memory, and joblib ended all",
                )


def _attempt(number: int, point: Point) -> tuple[int, str | None]:
    """Run the point in a worker, which has no terminal to itself: what it says goes to a file in the point's folder."""
    made(point.folder)
    log = point.folder / LOG
    with log.open("a", buffering=1, encoding="utf-8") as file, redirect_stdout(file), redirect_stderr(file):
        try:
            point.run()
        except Exception as error:
            return number, f"{point.tell(error)} (log: {here(log)})"
    return number, None
