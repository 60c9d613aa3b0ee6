"""How far off plans are: runs that were made are predicted from 20 of their problems, or from runs at smaller n.

    python -m benchmarks.planning outputs

Reads every run of at least 40 problems at or below the folder and prints a table in Markdown.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ttcs.planning.estimate import QUANTITIES, Estimate, estimate
from ttcs.planning.machine import Measured
from ttcs.planning.pilot import Run, runs
from ttcs.planning.work import Work, extrapolated, measured
from ttcs.records.record_file import read

PILOT = 20
SHOWN = {"decoded_tokens": "tokens", "prm_tokens": "PRM tokens", "flops": "FLOPs", "hours": "seconds"}
MACHINE = Measured("measured", 1.0)


@dataclass(frozen=True, slots=True)
class Check:
    """A prediction beside what came true. seconds: whether they were predicted from a run of their own."""

    what: str
    predicted: Estimate
    true: Estimate
    seconds: bool

    def row(self) -> str:
        return f"| {self.what} | {' | '.join(map(self._cell, SHOWN))} |"

    def _cell(self, name: str) -> str:
        amount, true = self.predicted.amounts()[name], self.true.amounts()[name].mean
        if not true or (name == "hours" and not self.seconds):
            return ""
        return f"{amount.mean / true - 1:+.1%}{'' if amount.low <= true <= amount.high else ' (outside)'}"


def checks(folder: Path) -> Iterator[Check]:
    made = [(run, _work(run)) for run in runs(folder)]
    made = sorted(((run, works) for run, works in made if len(works) >= 2 * PILOT), key=lambda pair: _order(pair[0]))
    for run, works in made:
        yield _check(f"{_name(run)}: {PILOT} of its {len(works)} problems", {run.n: works[:PILOT]}, run.n, works, False)
    for run, works in made:
        smaller = {other.n: few[:PILOT] for other, few in made if other.keys == run.keys and other.n < run.n}
        for first in range(len(smaller) - 1, -1, -1):
            pilots = dict(list(smaller.items())[first:][:2])
            what = f"{_name(run)}: {PILOT} problems at n = {' and '.join(map(str, pilots))}"
            yield _check(what, pilots, run.n, works, True)


def _check(what: str, pilots: Mapping[int, Sequence[Work]], n: int, run: Sequence[Work], seconds: bool) -> Check:
    predicted = estimate(extrapolated(pilots, n), len(run), MACHINE)
    return Check(what, predicted, estimate(run, len(run), MACHINE), seconds)


def _work(run: Run) -> list[Work]:
    """In the order of the problems in the dataset, which their ids end in."""
    records = sorted(read(run.folder / "records.jsonl"), key=lambda record: record.problem_id.rpartition("-")[2])
    return measured(records, 0.0)


def _order(run: Run) -> tuple[str, int]:
    return _strategy(run), run.n


def _name(run: Run) -> str:
    return f"{_strategy(run)}, n = {run.n}"


def _strategy(run: Run) -> str:
    return str(run.keys["strategy._target_"]).split(".")[-2]


def main(folder: Path) -> None:
    assert set(SHOWN) <= set(QUANTITIES)
    print(f"| predicted, from | {' | '.join(SHOWN.values())} |\n|---|{'---:|' * len(SHOWN)}")
    for check in checks(folder):
        print(check.row())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
