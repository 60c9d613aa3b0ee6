"""Figures and tables from run folders.

examples:
  python -m analysis table outputs                    accuracy, tokens and seconds of every method, as Markdown
  python -m analysis figure outputs --out figures     accuracy against N, tokens and FLOPs (PNG, and CSV beside it)
  python -m analysis quality outputs                  policy and verifier by level: greedy, pass@k, majority, AUC
  python -m analysis run outputs/my-run               accuracy.png of one run, in its folder
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from analysis import figures, quality, table
from analysis.load import RecordsError


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            _do(options)
            status = 0
        except (RecordsError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            status = 2
    for message in dict.fromkeys(str(warning.message) for warning in caught):
        print(f"warning: {message}", file=sys.stderr)
    return status


def _do(options: argparse.Namespace) -> None:
    if options.command == "table":
        _show(table.markdown(options.root, options.n, options.ends), options.out)
    elif options.command == "quality":
        _show(quality.markdown(options.root), options.out)
    elif options.command == "figure":
        print(*figures.compare(options.root, options.out), sep="\n")
    else:
        print(figures.accuracy_vs_n(options.root))


def _show(text: str, out: Path | None) -> None:
    if out is None:
        print(text, end="")
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    print(out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m analysis", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="{table,quality,figure,run}")
    one = commands.add_parser("table", help="many runs -> a Markdown table")
    one.add_argument("root", type=Path, help="folder with run folders in it, at any depth")
    one.add_argument("--out", type=Path, help="file to write (default: print)")
    one.add_argument(
        "--n", type=_numbers, default=table.COLUMNS, help="the columns, e.g. 1,4,16 (default: %(default)s)"
    )
    one.add_argument("--ends", action="store_true", help="intervals by their ends, 53.0 (48.9-57.1)")
    card = commands.add_parser("quality", help="a greedy run and a best-of-N run -> how good policy and verifier are")
    card.add_argument("root", type=Path, help="folder with run folders in it, at any depth")
    card.add_argument("--out", type=Path, help="file to write (default: print)")
    two = commands.add_parser("figure", help="many runs -> accuracy against N, tokens and FLOPs")
    two.add_argument("root", type=Path, help="folder with run folders in it, at any depth")
    two.add_argument("--out", type=Path, required=True, help="folder for PNG and CSV files")
    three = commands.add_parser("run", help="one run -> accuracy.png in its folder")
    three.add_argument("root", type=Path, help="the run's folder")
    return parser


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
