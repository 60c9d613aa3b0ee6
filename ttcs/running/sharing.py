"""`python -m ttcs.replay FOLDER budget=shared n=8,16`: a budget for all problems -> a table, and a file each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from ttcs.choice.sharing import Sharing
from ttcs.config.components import build
from ttcs.config.given import Given, given
from ttcs.config.identity import digest
from ttcs.config.writable import made
from ttcs.errors import UserError
from ttcs.records import early
from ttcs.records.chains import own_n
from ttcs.records.folder import write
from ttcs.records.reading import Reading
from ttcs.records.shared import Asked, Shared, check, graded, shares
from ttcs.records.stored import Stored
from ttcs.running.asking import ORDERS, difference, method, names
from ttcs.running.progress import console, say_graded
from ttcs.running.runner import whole

KEYS = "budget", "selection", "reduction", "n", "orders"


def replayed(run: Stored, overrides: Sequence[str]) -> list[tuple[Shared, Path]]:
    """A shared budget for each combination of the values given, and the file that says what came of it.

    n: a quarter of the run's, where nothing is said.
    """
    points = given(overrides, KEYS, [f"n={max(1, own_n(run) // 4)}", f"++orders={ORDERS}"])
    found = [_at(run, point) for point in points]  # all of them, before any is written
    return [(shared, _save(shared)) for shared in found]


def _at(run: Stored, point: Given) -> Shared:
    sharing, n = build(point.config, "budget"), whole(point.config, "n", 1)
    if not isinstance(sharing, Sharing):
        raise UserError(f"budget={point.choice('budget')} cannot be replayed: only budget=shared can")
    reading = Reading.of(run, method(run, point), own_n(run))
    check(n, reading.size, sharing)
    problems = sorted(map(reading.samples, run.records()), key=lambda samples: samples.problem_id)
    orders = early.orders(reading.size, reading.size, point.config.orders)
    found = [shares(problems, order, n, sharing) for order in orders]
    asked = Asked(
        n=n,
        **names(run, point),
        orders=len(orders),
        tokens=sharing.tokens,
        block=sharing.block,
        part=sharing.part,
        records=str(run.folder),
    )
    return Shared.of(problems, found, graded(problems, orders, found, reading.selection), asked)


def _save(shared: Shared) -> Path:
    """In the folder of the run, named after what was asked."""
    asked = shared.asked
    settings = {"tokens": asked.tokens, "block": asked.block, "part": asked.part, "orders": asked.orders}
    folder = made(Path(asked.records) / "replay" / f"shared_{asked.selection}_{asked.reduction}")
    file = folder / f"n={asked.n}-{digest({'n': asked.n, 'budget': settings})}.json"
    write(file, shared.to_json())
    return file


def show(replays: Sequence[tuple[Shared, Path]]) -> None:
    columns = "n", "block", "part", "tokens", "shared tokens", "samples", "rounds", "accuracy", "shared", "difference"
    table = Table(*columns, title="a budget for all problems against n for each", title_justify="left")
    for one, _ in replays:
        asked = one.asked
        how = str(asked.n), str(asked.block), f"{asked.part:g}", f"{one.equal_spent:,.0f}", f"{one.spent:,.0f}"
        spread = f"{one.least:.0f} to {one.most:.0f}", f"{one.rounds:.0f}"
        accuracies = [f"{value:.1%}" if value is not None else "" for value in (one.equal_accuracy, one.accuracy)]
        table.add_row(*how, *spread, *accuracies, difference(one.difference, one.difference_ci95))
    console.print(table)
    say_graded([one for one, _ in replays])
    for _, file in replays:
        console.print(f"  {file}", markup=False)
