"""What was served, on record as runs are: a folder for each method, and for each way in which requests have changed it.

A request is on record before it is answered, so that no answer is lost where the service is killed.
"""

from __future__ import annotations

import json
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Self

from ttcs.config.writable import made
from ttcs.core import Problem
from ttcs.records.folder import QUESTIONS, RECORDS
from ttcs.records.record_file import LineFile, RecordFile
from ttcs.running.described import Described
from ttcs.running.naming import shell_safe
from ttcs.serve.request import Asked
from ttcs.solving.found import Found
from ttcs.solving.solver import Solver

OPEN = 32  # folders whose files are open at a time
WAYS = 256  # in which requests ask for a method, of which the folder is remembered
LOCK = ".lock"

Settings = tuple[tuple[str, Any], ...]  # of a request, by key


@dataclass(slots=True)
class Folder:
    """One that is written into. times: how often each question was asked, by its id."""

    questions: LineFile
    records: RecordFile
    files: ExitStack
    times: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, place: Path, described: Described) -> Self:
        """UserError where it belongs to another configuration, or cannot be written."""
        made(place)
        with ExitStack() as files:
            records = files.enter_context(RecordFile(place / RECORDS))
            questions = files.enter_context(LineFile(place / QUESTIONS))
            described.begin(place)
            with (place / QUESTIONS).open(encoding="utf-8") as lines:
                asked = map(json.loads, lines)
                times = Counter(str(one.get("again", one["id"])) for one in asked)
            return cls(questions, records, files.pop_all(), times)

    def append(self, problem: Problem, found: Found, seed: int | None) -> Found:
        """What was found, with the id that it is on record with: that of the question, and a number if asked again."""
        self.times[problem.id] += 1
        time = self.times[problem.id]
        name = problem.id if time == 1 else f"{problem.id}-{time}"
        record = replace(found.record, problem_id=name)
        self.questions.write(_line(name, problem, seed))
        self.records.append(record)
        return replace(found, record=record)


class Records:
    """Keeps what is found for requests, from any thread; leaving the context writes the totals of its folders."""

    def __init__(self, root: Path, solver: Solver, methods: Mapping[str, Sequence[str]]) -> None:
        """UserError where another service keeps its records in the folder `root`, or nothing can be written there."""
        self.root = made(root)
        self._running = LineFile(root / LOCK)
        self._solver, self._methods, self._lock = solver, methods, Lock()
        self._loaded = Described.of(solver.composed(), {}).contents
        self._place = lru_cache(WAYS)(self._described)
        self._open: OrderedDict[Path, Folder] = OrderedDict()
        self._written: dict[Path, Described] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock, self._running:
            for folder in self._open.values():
                folder.files.close()
            self._open.clear()
            for place, described in self._written.items():
                described.conclude(place)

    def keep(self, asked: Asked, found: Found) -> Found:
        """On return it is on disk. What is returned has the id that it is there with. UserError: it is not there."""
        own = sorted((key, value) for key, value in asked.settings.items() if value is not None)
        with self._lock:
            # Other seeds are no other method, and stand with the questions. A deadline that was kept changed nothing.
            same = tuple(pair for pair in own if pair[0] != "seed" and (found.late or pair[0] != "seconds"))
            folder = self._folder(*self._place(asked.model, same))
            return folder.append(asked.problem, found, asked.settings.get("seed"))

    def _described(self, model: str, own: Settings) -> tuple[Path, Described]:
        settings = dict(own)
        composed = self._solver.composed(*self._methods[model], **settings)
        described = Described.of(composed, _groups(composed, settings)).made_with(self._loaded)
        return self.root / f"{shell_safe(model) or 'method'}-{described.digest}", described

    def _folder(self, place: Path, described: Described) -> Folder:
        if place not in self._open:
            self._open[place] = Folder.of(place, described)
            self._written[place] = described
            if len(self._open) > OPEN:
                self._open.popitem(last=False)[1].files.close()
        self._open.move_to_end(place)
        return self._open[place]


def _groups(composed: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What a request says of the policy, and how long a search had that was late."""
    policy = {key: own[key] for key in ("temperature", "max_tokens") if key in own}
    if "max_tokens" in policy and (most := composed["policy"].get("max_tokens")) is not None:
        policy["max_tokens"] = min(most, policy["max_tokens"])
    deadline = {key: own[key] for key in ("seconds",) if key in own}
    return {group: settings for group, settings in {"policy": policy, "deadline": deadline}.items() if settings}


def _line(name: str, problem: Problem, seed: int | None) -> str:
    """A problem as dataset=jsonl reads it, and what else was asked. again: the id of the question, asked before."""
    before = [{"role": one.role, "content": one.content} for one in problem.before]
    again = None if name == problem.id else problem.id
    told = {"id": name, "question": problem.question, "again": again, "seed": seed, "before": before or None}
    return json.dumps({key: value for key, value in told.items() if value is not None}, ensure_ascii=False)
