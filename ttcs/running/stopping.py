"""`python -m ttcs.replay FOLDER stopping=beta,window`: rules on recorded samples -> a table, and a file each."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from ttcs.choice.matching import mismatch
from ttcs.config.components import build
from ttcs.config.given import Given, given
from ttcs.config.identity import digest, plain, portable
from ttcs.config.writable import made
from ttcs.core import Stopping
from ttcs.records import early
from ttcs.records.chains import own_n
from ttcs.records.early import Samples
from ttcs.records.folder import write
from ttcs.records.reading import Reading
from ttcs.records.stopped import Asked, Stopped
from ttcs.records.stored import Stored
from ttcs.records.summary import Accuracy
from ttcs.running.asking import ORDERS, difference, method, names
from ttcs.running.progress import console, percent, say_graded
from ttcs.running.runner import whole

KEYS = "stopping", "selection", "reduction", "n", "orders", "ahead"


@dataclass(slots=True)
class Replayed:
    """A run with what has been read of it, for as many points as are asked about."""

    run: Stored
    read: dict[str, list[Samples]]
    needs: dict[str, list[list[int]]]

    def at(self, point: Given) -> Stopped:
        n = whole(point.config, "n", 1)
        how = method(self.run, point)
        stopping: Stopping = build(point.config, "stopping")
        reading = Reading.of(self.run, how, n, None, stopping)
        problems = self._samples(reading, how)
        drawn = early.orders(reading.size, n, point.config.orders)
        needed = self._needed(point, problems, drawn)
        ahead: int | None = point.config.ahead
        found = [
            early.over(one, drawn, own, ahead, reading.selection) for one, own in zip(problems, needed, strict=True)
        ]
        fixed = [early.over(one, drawn, [n] * len(drawn), None, reading.selection) for one in problems]
        asked = _asked(self.run, point, n)
        if line := mismatch(stopping, reading.selection, asked.rule["name"], asked.selection):
            warnings.warn(line, stacklevel=1)
        return Stopped.of(found, fixed, asked)

    def _samples(self, reading: Reading, how: Mapping[str, Any]) -> list[Samples]:
        key = json.dumps([how, reading.scored], sort_keys=True)
        if key not in self.read:
            found = map(reading.samples, self.run.records())
            self.read[key] = sorted(found, key=lambda samples: samples.problem_id)
        return self.read[key]

    def _needed(self, point: Given, problems: Sequence[Samples], drawn: Sequence[Sequence[int]]) -> list[list[int]]:
        """Of each problem and order, whatever runs ahead."""
        asked = [method(self.run, point), plain(point.config.stopping), len(drawn), len(drawn[0])]
        key, stopping = json.dumps(asked, sort_keys=True), build(point.config, "stopping")
        if key not in self.needs:
            self.needs[key] = [
                [early.enough(stopping, [samples.seen[i] for i in order]) for order in drawn] for samples in problems
            ]
        return self.needs[key]


def replayed(run: Stored, overrides: Sequence[str]) -> list[tuple[Stopped, Path]]:
    """A rule for each combination of the values given, and the file that says what came of it."""
    defaults = [f"n={own_n(run)}", f"++orders={ORDERS}"]
    points = given(overrides, KEYS, defaults)
    replay = Replayed(run, {}, {})
    found = [(replay.at(point), point) for point in points]  # all of them, before any is written
    return [(stopped, _save(stopped, run, point)) for stopped, point in found]


def _asked(run: Stored, point: Given, n: int) -> Asked:
    return Asked(
        rule={"name": point.choice("stopping"), **_settings(plain(point.config.stopping))},
        **names(run, point),
        n=n,
        ahead=point.config.ahead,
        orders=point.config.orders,
        records=str(run.folder),
    )


def _settings(node: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if not key.startswith("_")}


def _save(stopped: Stopped, run: Stored, point: Given) -> Path:
    """In the folder of the run, named after what was asked."""
    asked, how = stopped.asked, {**method(run, point), "rule": plain(point.config.stopping)}
    name = digest({"replay": {**portable(how), "n": asked.n, "ahead": asked.ahead, "orders": asked.orders}})
    folder = Path(asked.records) / "replay" / f"{asked.rule['name']}_{asked.selection}_{asked.reduction}"
    write(made(folder) / f"n={asked.n}-{name}.json", stopped.to_json())
    return folder / f"n={asked.n}-{name}.json"


def show(replays: Sequence[tuple[Stopped, Path]]) -> None:
    """A line per rule; what is the same in all of them stands in the title."""
    settings = [_shown(one.asked) for one, _ in replays]
    swept = [key for key in settings[0] if len({own[key] for own in settings}) > 1]
    same = ", ".join(f"{key} {value}" for key, value in settings[0].items() if key not in swept)
    columns = "samples", "tokens", "of all n", "speculated", "rounds", "latency", "accuracy", "minus all n"
    table = Table("rule", *swept, *columns, title=f"stopping rules: {same}", title_justify="left")
    for (one, _), own in zip(replays, settings, strict=True):
        costs = f"{one.course.samples:.1f}", _number(one.course.tokens), f"{one.share:.1%}"
        times = _number(one.course.speculated), f"{one.course.rounds:.1f}", _number(one.course.latency)
        total = Accuracy(one.accuracy, one.ci95, one.n_problems, one.n_graded)
        accuracy = percent(total) if one.ci95 or one.accuracy is None else f"{one.accuracy:.1%}"
        found = accuracy, difference(one.difference, one.difference_ci95)
        table.add_row(one.asked.label, *(own[key] for key in swept), *costs, *times, *found)
    console.print(table)
    say_graded([one for one, _ in replays])
    for _, file in replays:
        console.print(f"  {file}", markup=False)


def _shown(asked: Asked) -> dict[str, str]:
    ahead = "all" if asked.ahead is None else str(asked.ahead)
    return {"selection": asked.selection, "n": str(asked.n), "ahead": ahead, "orders": str(asked.orders)}


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.0f}"
