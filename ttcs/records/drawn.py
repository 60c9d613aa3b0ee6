"""What a policy has answered a run that has no records yet: kept, so that nothing is decoded a second time.

Under a budget for a whole problem set no problem is done before all are. A line of JSON for each sample, appended as it
ends; as in the file of records, a line counts once its newline is written. The file is gone when the run is done.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from ttcs.core import Confidence, Continue, Continued, Step, Stop
from ttcs.errors import UserError
from ttcs.records.folder import DRAWN
from ttcs.records.record_file import LineFile

SETTLED = "node", "score"  # what a search makes of a step


@dataclass(frozen=True, slots=True)
class Sampled:
    """problem, seed: of the request, which tell it from all others of a run. seconds: the clock of the run."""

    problem: str
    seed: int
    seconds: float
    result: Continued

    def to_json(self) -> str:
        row = asdict(self)
        for step in row["result"]["steps"]:
            for name in SETTLED:
                del step[name]
        return json.dumps(row, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, line: bytes) -> Self:
        row: dict[str, Any] = json.loads(line)
        result = row.pop("result")
        return cls(**row, result=Continued(**{**result, "steps": tuple(_step(step) for step in result["steps"])}))


class Drawn(LineFile):
    """The file of a folder, to which nothing can be added once its context is left.

    Where a sample is, is held in memory; what it is, is read when it is asked for. seconds: the clock of the run when
    the last one had ended.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / DRAWN)
        self._places: dict[tuple[str, int], int] = {}
        self.seconds = 0.0
        with self.path.open("rb") as file:
            place = 0
            for number, line in enumerate(file, 1):
                self._learn(line, place, number)
                place += len(line)

    def find(self, request: Continue) -> Continued | None:
        """What has come of it, if it is there, and would not have come to another end with this limit on its tokens."""
        place = self._places.get(_key(request))
        if place is None:
            return None
        with self.path.open("rb") as file:
            file.seek(place)
            result = Sampled.from_json(file.readline()).result
        tokens = sum(len(step.tokens) for step in result.steps)
        if result.steps and result.steps[-1].stop is Stop.BUDGET:
            return result if tokens == request.max_tokens else None
        return result if request.max_tokens is None or tokens <= request.max_tokens else None

    def add(self, request: Continue, result: Continued, seconds: float) -> None:
        """As `write` does it."""
        self._places[_key(request)] = self.write(Sampled(*_key(request), seconds, result).to_json())

    def _learn(self, line: bytes, place: int, number: int) -> None:
        try:
            sample = Sampled.from_json(line)
        except (ValueError, TypeError, KeyError) as error:
            raise UserError(f"{self.path}:{number}: not a sample of this version of ttcs") from error
        self._places[sample.problem, sample.seed] = place
        self.seconds = max(self.seconds, sample.seconds)


def discard(folder: Path) -> None:
    """Of a run that is done."""
    (folder / DRAWN).unlink(missing_ok=True)


def _key(request: Continue) -> tuple[str, int]:
    return request.trajectory.problem.id, request.seed


def _step(row: dict[str, Any]) -> Step:
    sure, logprobs = row["confidence"], row["logprobs"]
    types = {
        "tokens": tuple(row["tokens"]),
        "stop": Stop(row["stop"]),
        "logprobs": None if logprobs is None else tuple(logprobs),
        "confidence": None if sure is None else Confidence(**sure),
    }
    return Step(node=-1, **{**row, **types})
