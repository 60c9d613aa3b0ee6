"""Rows with traces -> a data set: stages pass by pass, each pass by shards, and what is left of it written down."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from pathlib import Path

from ttcs.curation.bar import counted
from ttcs.curation.card import card
from ttcs.curation.funnel import Funnel
from ttcs.curation.judging import judged
from ttcs.curation.part import Part
from ttcs.curation.row import Entry, Row
from ttcs.curation.source import Source, numbered
from ttcs.curation.stage import Pass, Stage, passes
from ttcs.errors import UserError
from ttcs.records.folder import write, write_lines

DATA, REJECTED, FUNNEL, CARD = "data.jsonl", "rejected.jsonl", "funnel.csv", "README.md"
ASKED = "asked"  # folder of what models said
Choices = Mapping[int, tuple[str, str]]  # number of a row -> the stage that dropped it, and why


@dataclass(frozen=True, slots=True)
class Curation:
    """sources, stages: by name, in order; a stage that is None is left out.

    out: folder of the data set. processes: that judge rows. shard, shards: this process takes every shards-th row; the
    shard that is done last goes on with what needs all rows. config: what it was made with, as yaml, for the card.
    """

    out: Path
    sources: Mapping[str, Source]
    stages: Mapping[str, Stage]
    seed: int
    processes: int
    shards: int
    shard: int
    config: str

    def __post_init__(self) -> None:
        for name in ("processes", "shards"):
            if getattr(self, name) < 1:
                raise UserError(f"{name}={getattr(self, name)} is not a positive whole number")
        if not 0 <= self.shard < self.shards:
            raise UserError(f"shard={self.shard} is not one of 0 ... {self.shards - 1} (shards={self.shards})")
        if not self.sources:
            raise UserError("there are no sources")

    def run(self) -> Funnel | None:
        """What was dropped where; None while other shards are not done. The same command goes on after a kill."""
        if (self.out / CARD).exists():
            return Funnel.read(self.out / FUNNEL)
        steps = passes(self.stages)
        for number, step in enumerate(steps):
            self._fill(number, step)
            if step.wholes or number == len(steps) - 1:
                if not all(part.complete for part in self._parts(number)):
                    return None
                self._choose(number, step)
        return self._finish(len(steps))

    @property
    def waiting(self) -> list[int]:
        """Shards that have not done the pass that this one has done last."""
        last = max(n for n in range(len(passes(self.stages))) if self._part(n, self.shard).complete)
        return [shard for shard, part in enumerate(self._parts(last)) if not part.complete]

    def _part(self, number: int, shard: int) -> Part:
        return Part(self.out / "work" / str(number) / f"{shard}.rows")

    def _parts(self, number: int) -> list[Part]:
        return [self._part(number, shard) for shard in range(self.shards)]

    def _fill(self, number: int, step: Pass) -> None:
        """This shard's rows of a pass, from where it was left."""
        part = self._part(number, self.shard)
        if part.complete:
            return
        filters, total = step.filters, self._total(number)
        if step.asking is not None:
            name, asking = step.asking
            files = self.out / ASKED / f"{name}-{self.shard}"
            filters = ((name, asking.ask(lambda: (row for _, row in self._rows(number)), files)), *filters)
        done = part.done()
        rows = islice(self._rows(number), done, None)
        title = ", ".join(name for name, _ in filters) or "reading"
        part.write(counted(judged(rows, filters, self.processes), title, done, total))

    def _total(self, number: int) -> int | None:
        """Rows that this shard has in a pass; of the first one nobody knows."""
        return None if number == 0 else sum(1 for _ in self._left(number - 1, self.shard))

    def _rows(self, number: int) -> Iterator[tuple[int, Row]]:
        """Those that this shard has in a pass."""
        if number == 0:
            return islice(numbered(self.sources), self.shard, None, self.shards)
        return ((entry.number, Row(**json.loads(body))) for entry, body in self._left(number - 1, self.shard))

    def _left(self, number: int, shard: int) -> Iterator[tuple[Entry, bytes]]:
        """What is left of a shard after a pass."""
        dropped = self._choices(number)
        lines = self._part(number, shard).lines()
        return ((entry, body) for entry, body in lines if entry.stage is None and entry.number not in dropped)

    def _choose(self, number: int, step: Pass) -> None:
        """Run the stages that compare rows, on those of all shards; their choices are written at once."""
        if self._choice_file(number).exists():
            return
        choices: dict[int, tuple[str, str]] = {}
        entries = [entry for part in self._parts(number) for entry in part.entries() if entry.stage is None]
        entries.sort(key=lambda entry: entry.number)
        for name, stage in step.wholes:
            reasons = stage.choose(entries)
            pairs = list(zip(entries, reasons, strict=True))
            choices |= {entry.number: (name, reason) for entry, reason in pairs if reason is not None}
            entries = [entry for entry, reason in pairs if reason is None]
        write(self._choice_file(number), json.dumps(choices, ensure_ascii=False))

    def _choice_file(self, number: int) -> Path:
        return self.out / "work" / str(number) / "choices.json"

    def _choices(self, number: int) -> Choices:
        path = self._choice_file(number)
        if not path.exists():  # of a pass without stages that choose
            return {}
        return {int(row): (stage, why) for row, (stage, why) in json.loads(path.read_text(encoding="utf-8")).items()}

    def _finish(self, steps: int) -> Funnel:
        drops = Counter[tuple[str, str]]()
        write_lines(self.out / REJECTED, self._rejected(steps, drops))
        rows = Counter(entry.source for part in self._parts(0) for entry in part.entries())
        funnel = Funnel.of(rows.total(), list(self.stages), drops.elements())
        kept: list[Entry] = []
        write_lines(self.out / DATA, self._kept(steps - 1, kept))
        if not kept:
            raise UserError(f"none of {rows.total()} rows is left; {self.out / REJECTED} says why")
        write(self.out / FUNNEL, funnel.to_csv())
        write(self.out / CARD, card(self.out.name, self.seed, funnel, kept, rows, self.config))
        return funnel

    def _kept(self, number: int, seen: list[Entry]) -> Iterator[str]:
        """Lines of the data set, in the order of the sources. seen: gets their entries."""
        for entry, body in _merged([self._left(number, shard) for shard in range(self.shards)]):
            seen.append(entry)
            yield Row(**json.loads(body)).filed() + "\n"

    def _rejected(self, steps: int, drops: Counter[tuple[str, str]]) -> Iterator[str]:
        """Rows that were dropped, in the order of the passes. drops: gets the stage and the reason of each."""
        for number in range(steps):
            choices = self._choices(number)
            for entry, body in _merged([part.lines() for part in self._parts(number)]):
                stage, reason = choices.get(entry.number, (entry.stage, entry.reason))
                if stage is not None and reason is not None:
                    drops[stage, reason] += 1
                    why = json.dumps({"stage": stage, "reason": reason}, ensure_ascii=False)
                    yield f"{why[:-1]}, {body[1:].decode()}"


def _merged(shards: Sequence[Iterator[tuple[Entry, bytes]]]) -> Iterator[tuple[Entry, bytes]]:
    return merge(*shards, key=lambda pair: pair[0].number)
