"""`python -m ttcs.export RUN --to FORMAT --out DIR`: a run as a data set in Parquet, with a card (docs/export.md)."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa  # type: ignore[import-untyped]

from ttcs.config.explain import answering
from ttcs.config.home import path
from ttcs.config.streams import forgiving
from ttcs.config.usage import parser
from ttcs.errors import UserError
from ttcs.export.card import card
from ttcs.export.parquet import Parquet
from ttcs.export.push import push
from ttcs.export.run import Run
from ttcs.export.search_and_learn import SearchAndLearn
from ttcs.export.tables import Row, write
from ttcs.records import folder
from ttcs.records.record import Record

EXAMPLES = """
    python -m ttcs.export outputs/RUN --to parquet --out data_set
    python -m ttcs.export outputs/RUN --to search_and_learn --out data_set --push USER/NAME
"""
CARD = "README.md"


class Format(Protocol):
    """What a run is written as. about: what each table holds."""

    @property
    def about(self) -> Mapping[str, str]: ...
    def schemas(self) -> Mapping[str, pa.Schema]: ...
    def rows(self, run: Run, record: Record) -> Iterator[tuple[str, Row]]: ...


FORMATS: dict[str, Callable[[Run], Format]] = {"parquet": Parquet.of, "search_and_learn": SearchAndLearn.of}


def main(arguments: Sequence[str] | None = None) -> None:
    """Exit codes: 0 done, 1 a bug (with its traceback), 2 bad input (with one line)."""
    forgiving()
    options = _arguments().parse_args(arguments)
    with answering():
        if options.public and not options.push:
            raise UserError("--public says who sees what is pushed: it needs --push USER/NAME")
        written = export(options.run, options.out, FORMATS[options.to], options.push)
        print(*written, sep="\n")
        if options.push:
            print(push(options.out, options.push, options.public))


def export(source: Path, out: Path, form: Callable[[Run], Format], name: str | None = None) -> list[Path]:
    """Write the data set of a run and return its files. name: its title (None: that of the folder).

    UserError for a folder that holds no finished run, or one whose questions are needed and not at hand, and where
    something else is in `out` already.
    """
    _free(out)
    run = Run.of(source)
    made = form(run)
    schemas = made.schemas()
    with folder.undone(out / "data"):
        rows = (row for record in run.records() for row in made.rows(run, record))
        counts = write(out, schemas, rows)
    folder.write(out / CARD, card(name or out.resolve().name, run, made.about, schemas, counts))
    return [*(out / "data" / f"{table}.parquet" for table in schemas), out / CARD]


def _free(out: Path) -> None:
    """UserError where files would be mixed, or pushed, with others."""
    if out.is_dir() and any(out.iterdir()):
        raise UserError(f"--out {out} is there already and not empty")


def _arguments() -> argparse.ArgumentParser:
    found = parser("ttcs.export", "RUN --to FORMAT --out DIR [--push USER/NAME [--public]]", EXAMPLES)
    found.add_argument("run", type=path, metavar="RUN", help="a run's folder (with records.jsonl)")
    found.add_argument("--to", choices=FORMATS, required=True, help="parquet: all that is on record; else as published")
    found.add_argument("--out", type=path, required=True, metavar="DIR", help="folder of the data set")
    found.add_argument("--push", metavar="USER/NAME", help="to the Hugging Face Hub as well; seen by you alone")
    found.add_argument("--public", action="store_true", help="a data set that --push makes is seen by all")
    return found


if __name__ == "__main__":
    main()
