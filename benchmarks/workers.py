"""G9: what a second worker is worth: the throughput of two over twice that of one, a core each, models loaded.

Beside it what the second core is worth: two workers that share nothing, each with all problems, against one alone. What
the two lack of that is the end of the run, where one of them has nothing left to do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial

from benchmarks import zoo
from benchmarks.harness import Effort, Limit, Result, Side, Spread, interleaved
from ttcs.config.components import share
from ttcs.running.workers.pool import Pool

GOAL = Limit(0.95, least=True)
CORE = {"OMP_NUM_THREADS": "1"}


def measure(effort: Effort) -> Iterator[Result]:
    """Wall times alone: the work is done in other processes."""
    count = 6 * effort.problems
    config = zoo.configured("strategy=dvts", f"n={effort.n}", f"dataset.limit={count}")
    problems = share(config, "dataset")
    with closing(Pool([CORE])) as one, closing(Pool([CORE])) as other, closing(Pool([CORE, CORE])) as two:

        def searched(pool: Pool) -> int:
            return len(list(pool.session(config, problems, 0.0)))

        def apart() -> int:
            with ThreadPoolExecutor() as threads:
                return sum(threads.map(searched, (one, other)))

        ways = {"one": partial(searched, one), "two": partial(searched, two), "two apart": apart}
        runs = interleaved(ways, effort.runs)
    ratio = Spread.of([a.wall / b.wall / 2 for a, b in zip(runs["one"], runs["two"], strict=True)])
    cores = Spread.of([a.wall / b.wall for a, b in zip(runs["one"], runs["two apart"], strict=True)])
    walls = {name: Spread.of([run.wall for run in runs[name]]).median for name in ways}
    note = "; ".join(f"{name} {wall:.2f} s" for name, wall in walls.items())
    what = f"dvts, n = {effort.n}, {count} problems, {os.cpu_count()} cores: throughput of two workers / 2 x one"
    yield Result("G9", what, ratio, GOAL, sides={"": Side(counters={"problems": runs["two"][0].value})}, note=note)
    yield Result("G9", "what the second core is worth: two that share nothing, / 2 x one", cores, None)
