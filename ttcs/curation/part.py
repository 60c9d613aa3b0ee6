"""The file of a shard in a pass: a line a row, in order, so that the number of lines says which rows are done.

A line is an entry and a row, both as JSON, with a tab between them: what compares or counts rows reads no texts. The
last line says that the shard is done. A process may be killed at any byte: a line that is not whole is cut off.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ttcs.config.writable import made
from ttcs.curation.row import Drop, Entry, Row
from ttcs.curation.stage import Filter

END = b"end\n"
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    path: Path

    @property
    def complete(self) -> bool:
        if not self.path.exists() or self.path.stat().st_size < len(END):
            return False
        with self.path.open("rb") as file:
            file.seek(-len(END), 2)
            return file.read() == END  # all other lines end in a brace

    def write(self, lines: Iterable[Sequence[str]]) -> None:
        """Append blocks of lines, then the closing one. After each block its lines have left this process."""
        with self.path.open("ab") as file:
            for block in lines:
                file.write("".join(block).encode())
                file.flush()
            file.write(END)

    def done(self) -> int:
        """Rows that are in it. What follows the last whole line is cut off."""
        made(self.path.parent)
        count = end = place = 0
        with self.path.open("ab+") as file:
            file.seek(0)
            while block := file.read(BLOCK):
                count += block.count(b"\n")
                if (last := block.rfind(b"\n")) >= 0:
                    end = place + last + 1
                place += len(block)
            file.truncate(end)
        return count

    def entries(self) -> Iterator[Entry]:
        return (entry for entry, _ in self.lines())

    def lines(self) -> Iterator[tuple[Entry, bytes]]:
        """Entries with the JSON of their rows, which most readers of entries need not look at."""
        with self.path.open("rb") as file:
            for line in file:
                if line != END:
                    head, _, body = line.partition(b"\t")
                    yield Entry(**json.loads(head)), body


def line(number: int, row: Row, filters: Sequence[tuple[str, Filter]]) -> str:
    """What the filters make of a row, up to the first one that drops it."""
    for name, stage in filters:
        judged = stage.judge(row)
        if isinstance(judged, Drop):
            return _line(Entry.of(number, row, name, judged.reason), row)
        row = judged
    return _line(Entry.of(number, row), row)


def _line(entry: Entry, row: Row) -> str:
    return f"{entry.to_json()}\t{row.to_json()}\n"
