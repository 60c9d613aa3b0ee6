"""`python -m analysis.view RUN [RUN ...] --out search.html`: see docs/view.md."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from analysis.view.formulas import Formulas
from analysis.view.page import page
from analysis.view.run import Run
from ttcs.config.explain import answering
from ttcs.config.home import path
from ttcs.config.streams import forgiving
from ttcs.config.usage import parser
from ttcs.config.writable import made
from ttcs.errors import UserError
from ttcs.records.folder import write_lines

EXAMPLES = """
    python -m analysis.view outputs/RUN                              a page, search.html
    python -m analysis.view outputs/A outputs/B --out both.html      two runs side by side
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Exit codes: 0 done, 1 a bug (with its traceback), 2 bad input (with one line)."""
    forgiving()
    options = _arguments().parse_args(arguments)
    with answering():
        print(view(options.runs, options.out))


def view(folders: Sequence[Path], out: Path) -> Path:
    """Write the page and return its path. UserError for a folder without a run, or a file that cannot be written."""
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise UserError("the same run is named twice")
    if out.is_dir():
        raise UserError(f"--out {out} is a folder, not a file")
    formulas = Formulas()
    runs = [Run.of(folder, formulas) for folder in folders]
    made(out.parent)
    write_lines(out, page(runs, formulas))
    return out


def _arguments() -> argparse.ArgumentParser:
    found = parser("analysis.view", "RUN [RUN ...] [--out FILE]", EXAMPLES)
    found.add_argument("runs", type=path, nargs="+", metavar="RUN", help="a run's folder (with records.jsonl)")
    found.add_argument("--out", type=path, default=Path("search.html"), metavar="FILE", help="default: search.html")
    return found


if __name__ == "__main__":
    main()
