"""Every goal measured, in one table: `python -m benchmarks [g1 ... g10 | curation] [--quick] [--out FILE] ...`.

`python -m benchmarks gpu`: searches on a simulated GPU instead; `python -m benchmarks serve`: the service under load.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from benchmarks import (
    continuous,
    curation,
    curve,
    equal_n,
    gpu,
    grouping,
    orchestrator,
    raw,
    report,
    rescoring,
    serve,
    tokens,
    workers,
)
from benchmarks.harness import QUICK, Effort, Result
from benchmarks.machine import Machine
from ttcs.config import usage

MEASURES: dict[str, Callable[[Effort], Iterable[Result]]] = {
    "g1": tokens.measure, "g2": tokens.measure, "g3": raw.measure, "g4": equal_n.measure, "g5": rescoring.measure,
    "g6": continuous.measure, "g7": curve.measure, "g8": grouping.measure, "g9": workers.measure,
    "g10": orchestrator.measure, "curation": curation.measure,
}  # fmt: skip
EXAMPLES = """
    python -m benchmarks --quick                   all goals, at n = 16
    python -m benchmarks g3 g4 --runs 3            some of them
    python -m benchmarks --join a.json b.json      nothing anew: what these have, in one table
    python -m benchmarks gpu --help                searches on a simulated GPU instead
    python -m benchmarks serve                     the service: 64 clients for a minute, and what it adds to a search
"""
RESULTS = Path(__file__).parent / "results.json"


def main() -> None:
    if sys.argv[1:2] in (["gpu"], ["serve"]):
        (gpu if sys.argv[1] == "gpu" else serve).main(sys.argv[2:])
        return
    asked = arguments()
    torch.set_num_threads(asked.threads)
    effort = QUICK if asked.quick else Effort(asked.runs, asked.problems)
    before, started = os.getloadavg()[0], time.perf_counter()
    found: list[Result] = []
    for measure in dict.fromkeys(MEASURES[goal] for goal in asked.goals):
        for result in measure(effort):
            print(f"{time.perf_counter() - started:6.0f} s  {report.line(result)}", file=sys.stderr)
            found += [result] if result.goal.lower() in asked.goals else []
        found.sort(key=lambda result: list(MEASURES).index(result.goal.lower()))
        machine = Machine.now(before, found, effort)
        asked.out.write_text(report.to_json(machine, found), encoding="utf-8")
    told = [f"{_names(found)}: {machine}"] if found else []
    for file in asked.join:
        earlier, results = report.read_json(file)
        results = [result for result in results if result.goal.lower() not in {one.goal.lower() for one in found}]
        found += results
        told.append(f"{_names(results)}: {earlier}")
    found.sort(key=lambda result: list(MEASURES).index(result.goal.lower()))
    where = "\n\n".join(told)
    text = f"{report.table(found)}\n{where}\n"
    print(text)
    if asked.write:
        report.write_between(asked.write, report.GOALS, report.goals(found))
        report.write_between(asked.write, report.ALL, text)


def arguments() -> argparse.Namespace:
    parser = usage.parser("benchmarks", "[GOAL ...] [--quick] [--runs RUNS] [...]", EXAMPLES)
    parser.add_argument("goals", nargs="*", type=str.lower, help="g1 to g10, and curation; g1 to g10 if none is named")
    parser.add_argument("--quick", action="store_true", help="a look in a few minutes: fewer runs of less work")
    parser.add_argument("--runs", type=int, default=Effort().runs, help="of each way, after one to warm up")
    parser.add_argument("--problems", type=int, default=Effort().problems, help="in a timed run")
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON, rewritten after every goal")
    parser.add_argument("--write", type=Path, help="a page that gets both tables between their marks")
    parser.add_argument("--join", type=Path, nargs="+", default=[], help="--out of earlier ones, to add their results")
    asked = parser.parse_args()
    if unknown := set(asked.goals) - set(MEASURES):
        parser.error(f"no goal {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    asked.goals = asked.goals or [goal for goal in MEASURES if goal != "curation" and not asked.join]
    return asked


def _names(results: Iterable[Result]) -> str:
    return ", ".join(dict.fromkeys(result.goal for result in results))


if __name__ == "__main__":
    main()
