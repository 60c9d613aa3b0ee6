"""The window for what a service has kept (docs/serving.md). `serve.window` names it: ttcs knows nothing of it."""

from __future__ import annotations

from pathlib import Path

from analysis.view import page as pages
from analysis.view.formulas import Formulas
from analysis.view.run import Run
from ttcs.records.folder import RECORDS

RUNS = 12  # that are shown: those with the newest records


def page(folder: Path, last: int) -> str | None:
    """The page of the runs in a folder, of each the `last` newest searches; None: there are none yet.

    UserError for a run that cannot be read.
    """
    files = sorted(filter(_begun, folder.glob(f"*/{RECORDS}")), key=_written, reverse=True)
    formulas = Formulas()
    runs = [Run.of(file.parent, formulas, last) for file in files[:RUNS]]
    return "".join(pages.page(runs, formulas)) if runs else None


def _begun(file: Path) -> bool:
    """Whether it has a whole line."""
    with file.open("rb") as lines:
        return lines.readline().endswith(b"\n")


def _written(file: Path) -> int:
    return file.stat().st_mtime_ns
