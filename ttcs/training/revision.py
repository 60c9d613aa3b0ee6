"""The lines of the stage revision_data as chats to train on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from ttcs.errors import UserError
from ttcs.problems.rows import from_jsonl
from ttcs.training.chats import Chat


@dataclass(frozen=True, slots=True)
class Revisions:
    """Source: attempts at a question, the last one nearest to the answer, and the answer. UserError for other files."""

    paths: Sequence[str]

    def chats(self) -> Iterator[Chat]:
        for where, row in chain.from_iterable(from_jsonl(Path(path)) for path in self.paths):
            try:
                yield Chat(row["question"], row["answer"], tuple(row["attempts"]))
            except (KeyError, TypeError) as error:
                raise UserError(f"{where}: not a line of stage=revision_data, which has {error} too") from error
