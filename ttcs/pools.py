"""`python -m ttcs.pools FILE --out FOLDER`: solutions that somebody else sampled become a best-of-N run.

Answers are extracted, grouped and graded, and scores reduced, as those of a run are; what the file does not say (FLOPs,
seconds, perhaps tokens) stays unknown. The file and its columns: docs/records.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

from ttcs.config.components import build
from ttcs.config.explain import answering
from ttcs.config.given import Given, given
from ttcs.config.home import at_home, path
from ttcs.config.identity import plain, portable
from ttcs.config.streams import forgiving
from ttcs.config.usage import parser
from ttcs.core import Problem, Reduction, Selection, Step, Stop, Trajectory
from ttcs.errors import UserError
from ttcs.problems import rows
from ttcs.problems.completions import LAYOUTS, Completion, Format
from ttcs.records.folder import RECORDS, SUMMARY, claim, undone, write, write_lines
from ttcs.records.grade import grade
from ttcs.records.record_file import read
from ttcs.records.summary import Setting, Summary, summarize
from ttcs.running import naming
from ttcs.running.picture import drawn
from ttcs.running.progress import console, counted, percent, title
from ttcs.search.execution import Outcome
from ttcs.search.ledger import Ledger
from ttcs.search.tree import Tree

EXAMPLES = """
    python -m ttcs.pools completions.jsonl --out outputs/theirs
    python -m ttcs.pools completions.jsonl --out outputs/theirs --column answer=gold selection=majority
"""
GIVEN = "selection", "reduction", "difficulty", "seed"
Count = Callable[[str], int]  # tokens of a text

naming.register()


@dataclass(frozen=True, slots=True)
class Imported:
    """A problem of the file, with its completions."""

    where: str
    problem: Problem
    completions: list[Completion]


def main(arguments: Sequence[str] | None = None) -> None:
    forgiving()
    options = _arguments().parse_intermixed_args(arguments)
    sys.argv[1:] = options.overrides  # what a mistake is explained from
    with answering():
        layout = LAYOUTS[options.format].renamed(dict(_pair(pair) for pair in options.column))
        form = Format(layout, options.separator.encode().decode("unicode_escape"))
        (*others, point) = given(options.overrides, GIVEN)
        if others:
            raise UserError("a pool is imported with one value of each key")
        dataset, prm = options.dataset or options.file.stem, options.prm or "unknown"
        names = {"policy": options.policy, "prm": prm, "dataset": dataset}
        with undone(options.out):
            summary = imported(options.file, options.out, form, point, names, options.tokenizer)
        heading = f"{title(summary, options.prm is not None)}\naccuracy {percent(summary)}, {counted(summary)}"
        console.print(heading, *summary.endings.notes(None), options.out, sep="\n  ", markup=False)


def imported(
    file: Path, out: Path, form: Format, point: Given, names: dict[str, str], tokenizer: str | None
) -> Summary:
    """Write the run folder `out`. names: of the groups that a run would have chosen from."""
    if not file.is_file():
        raise UserError(f"{file} is a folder, not a file" if file.is_dir() else f"there is no file {file}")
    n = len(next(_rows(file, form)).completions)
    config = _config(file, form, point, names, n, tokenizer)
    selection, reduction, difficulty = (build(config, key) for key in ("selection", "reduction", "difficulty"))
    claim(out, portable(config), "--out")
    lines = _lines(_rows(file, form), n, selection, reduction, _counter(tokenizer))
    write_lines(out / RECORDS, (json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines))
    choices = {group: point.choice(group) for group in ("selection", "reduction", "difficulty")}
    setting = Setting(n=n, seed=config["seed"], strategy="best_of_n", **names, **choices)
    summary = summarize(read(out / RECORDS), difficulty, setting)
    write(out / SUMMARY, json.dumps(_known(summary, out), indent=2) + "\n")
    if summary.accuracy is not None:
        drawn(build(point.config, "picture"), out)
    return summary


def _config(
    file: Path, form: Format, point: Given, names: dict[str, str], n: int, tokenizer: str | None
) -> dict[str, Any]:
    """As that of a run, as far as it goes; and which file it was, byte by byte."""
    groups = {key: plain(point.config[key]) for key in GIVEN[:3]}  # the rest is that of a run, which this is none
    layout = {key: value for key, value in asdict(form.layout).items() if key != "required"}
    read_as = {"columns": layout, "separator": form.separator, "tokenizer": tokenizer}
    strategy = {"_target_": "ttcs.strategies.best_of_n.BestOfN", "n": n}
    models = {key: {"name": names[key]} for key in ("policy", "prm", "dataset")}
    with file.open("rb") as content:
        pool = {"file": file.name, "sha256": file_digest(content, "sha256").hexdigest(), **read_as}
    return {"n": n, "seed": point.config.seed, "strategy": strategy, **groups, **models, "pool": pool}


def _rows(file: Path, form: Format) -> Iterator[Imported]:
    seen: set[str] = set()
    for number, (where, row) in enumerate(rows.from_copy(file, None, "train"), 1):
        problem = form.problem(where, row, number)
        if problem.id in seen:
            raise UserError(f"{where}: a second problem with id {problem.id}")
        seen.add(problem.id)
        yield Imported(where, problem, form.completions(where, row))
    if not seen:
        raise UserError(f"{file} has no rows")


def _lines(
    pool: Iterator[Imported], n: int, selection: Selection, reduction: Reduction, count: Count | None
) -> Iterator[dict[str, Any]]:
    for one in pool:
        if len(one.completions) != n:
            raise UserError(f"{one.where}: {len(one.completions)} completions, but the first problem has {n}")
        scored = any(score is not None for completion in one.completions for score in completion.scores)
        if selection.reads_scores and n > 1 and not scored:
            name = type(selection).__name__
            raise UserError(f"{one.where}: no scores, which the selection {name} reads; give selection=majority")
        yield _line(one, selection, reduction, count)


def _line(one: Imported, selection: Selection, reduction: Reduction, count: Count | None) -> dict[str, Any]:
    """A record with null for tokens that are unknown, and of the ledger only what is known."""
    tree = Tree()
    trajectories = tuple(tree.grow(Trajectory(one.problem), _steps(each), False) for each in one.completions)
    record = grade(Outcome(one.problem, trajectories, tree.nodes(), Ledger()), selection, reduction, 0.0)
    tokens = [_tokens(completion, count) for completion in one.completions]
    row = asdict(record)
    for candidate, trajectory, (whole, each) in zip(row["candidates"], trajectories, tokens, strict=True):
        candidate["tokens"] = whole
        for step, number in zip(trajectory.steps, each, strict=True):
            row["tree"][step.node]["tokens"] = number
    row["ledger"] = {"generations": len(tokens)}
    if (known := [whole for whole, _ in tokens if whole is not None]) and len(known) == len(tokens):
        row["ledger"]["decoded_tokens"] = sum(known)
    return row


def _steps(completion: Completion) -> list[Step]:
    """The last one ended as the completion did; a completion that was cut off can be no answer."""
    stops = [Stop.STEP] * (len(completion.texts) - 1) + [Stop.END if completion.finished else Stop.LENGTH]
    parts = zip(completion.texts, stops, completion.scores, strict=True)
    return [Step(-1, (), text, stop, score) for text, stop, score in parts]


def _tokens(completion: Completion, count: Count | None) -> tuple[int | None, list[int | None]]:
    """Of the completion, and of each step: what the file says goes before what a tokenizer counts."""
    each: list[int | None] = [None if count is None else count(text) for text in completion.texts]
    counted = sum(number for number in each if number is not None) if count is not None else None
    whole = counted if completion.tokens is None else completion.tokens
    return whole, each if len(each) > 1 else [whole]


def _known(summary: Summary, out: Path) -> dict[str, Any]:
    """The fields of summary.json; the time is unknown, and of the ledger all that no record has."""
    with (out / RECORDS).open(encoding="utf-8") as lines:
        kept = set.intersection(*(set(json.loads(line)["ledger"]) for line in lines))
    flat: dict[str, Any] = json.loads(summary.to_json())
    ledger = {key: value for key, value in flat["ledger"].items() if key in kept}
    return flat | {"ledger": ledger, "wall_seconds": None}


def _counter(tokenizer: str | None) -> Count | None:
    if tokenizer is None:
        return None
    from ttcs.models.load import load_tokenizer  # only here: it imports torch

    loaded = load_tokenizer(tokenizer)
    return lambda text: len(loaded(text, add_special_tokens=False)["input_ids"])


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals and value):
        raise UserError(f"--column {text} is not of the form key=column")
    return key, value


def _arguments() -> argparse.ArgumentParser:
    made = parser("ttcs.pools", "FILE --out FOLDER [KEY=VALUE ...] [--format FORMAT] [...]", EXAMPLES)
    made.add_argument("file", type=path, metavar="FILE", help="JSON lines or Parquet: a row per problem")
    made.add_argument("--out", type=path, required=True, help="the run's folder")
    made.add_argument("--format", choices=LAYOUTS, default="plain", help="names of the columns (default: plain)")
    made.add_argument("--column", action="append", default=[], metavar="KEY=COLUMN", help="another name of a column")
    made.add_argument("--separator", default=r"\n\n", help=r"what ends a step that has a score (default: \n\n)")
    made.add_argument("--tokenizer", type=at_home, help="folder or Hub id: counts tokens where the file does not")
    made.add_argument("--policy", default="unknown", help="what sampled the solutions")
    made.add_argument("--prm", help="what scored them")
    made.add_argument("--dataset", help="what the problems are (default: the name of the file)")
    made.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help=f"of {', '.join(GIVEN)}")
    return made


if __name__ == "__main__":
    main()
