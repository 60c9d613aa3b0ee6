"""`python -m ttcs.merge FOLDER ...`: the records of several jobs become one run.

The jobs are those of one command: its shards, or the same command on several machines that did different problems. The
folder they become is the one in which the command without shards looks for its records, so it finds the run finished,
or goes on with what is missing (docs/records.md).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ttcs.config.components import build, share
from ttcs.config.explain import answering
from ttcs.config.given import given
from ttcs.config.home import path
from ttcs.config.identity import digest, identity, located, portable
from ttcs.config.streams import forgiving
from ttcs.config.usage import parser
from ttcs.core import Problem
from ttcs.errors import UserError, told
from ttcs.records.folder import RECORDS, VERSIONS, claim, difference, write, write_lines
from ttcs.records.record import Record
from ttcs.records.record_file import RecordFile
from ttcs.records.stored import Stored
from ttcs.running.contents import Contents
from ttcs.running.progress import console
from ttcs.running.runner import belongs, conclude

SHARD = "dataset.shard", "dataset.shards"
EXAMPLES = """
    python -m ttcs.merge outputs/SHARD_0 outputs/SHARD_1      shards of one command
    python -m ttcs.merge here/RUN there/RUN --out both        one command on two machines
"""


def main(arguments: Sequence[str] | None = None) -> None:
    forgiving()
    options = _arguments().parse_intermixed_args(arguments)
    with answering():
        merge(options.folders, options.out)


def merge(folders: Sequence[Path], out: Path | None = None) -> Path:
    """Write the run that the folders are parts of, and return its folder. out: None takes that of the whole command."""
    parts = [Stored.of(folder) for folder in folders]
    _same(parts)
    whole = _whole(parts[0])
    folder = out or _default(parts[0], whole)
    with ExitStack() as held:
        if there := (folder / RECORDS).exists():  # a merge that goes on, or a part that is the whole command's own
            claim(folder, whole, "--out")
            held.enter_context(RecordFile(folder / RECORDS))
            parts = [Stored.of(folder), *(part for part in parts if not part.folder.samefile(folder))]
        problems, unknown = _problems(whole)
        made = _contents(parts)
        done = _check(parts, problems)
        claim(folder, whole, "--out")
        _keep_versions(folder, parts)

        def lines() -> Iterator[str]:
            yield from (record.to_json() + "\n" for record in merged(parts))
            if not there:  # as late as can be: whoever is killed before leaves no records
                held.enter_context(_unwritten(folder))

        made.save(folder)
        write_lines(folder / RECORDS, lines())
    missing = sum(problem.id not in done for problem in problems or ())
    _finish(folder, parts, unknown or (f"{missing} of {len(problems or ())} problems are missing" if missing else None))
    return folder


def _unwritten(folder: Path) -> RecordFile:
    """The records of a new folder, held against a run of the whole command; UserError where it has begun meanwhile."""
    records = RecordFile(folder / RECORDS)
    if records.path.stat().st_size:
        raise UserError(f"{records.path} was begun while its parts were read: merge again, and it goes on from there")
    return records


def merged(parts: Sequence[Stored]) -> Iterator[Record]:
    """Each problem once, the first record of it. The seconds of the parts add up: what one job would have taken."""
    done: set[str] = set()
    clock = 0.0
    for part in parts:
        last = 0.0
        for record in part.records():
            spent, last = max(0.0, record.run_seconds - last), max(last, record.run_seconds)
            if record.problem_id not in done:
                done.add(record.problem_id)
                clock += spent
                yield replace(record, run_seconds=clock)


def _same(parts: Sequence[Stored]) -> None:
    """UserError unless the parts are of one configuration but for their shards."""
    first, *others = [(part.folder, _identity(part)) for part in parts]
    for folder, other in others:
        if keys := difference(first[1], other, (f"in {first[0]}", f"in {folder}")):
            raise UserError(f"these are not parts of one run: {keys}")


def _contents(parts: Sequence[Stored]) -> Contents:
    """What the parts were made with, as far as they say; UserError where two say it differently."""
    joined = Contents({}, {})
    for part in parts:
        own = Contents.read(part.folder)
        if changed := joined.changed(own):
            raise UserError(f"these are not parts of one run: {changed} in {part.folder} than in those before it")
        joined = joined.joined(own)
    return joined


def _identity(part: Stored) -> dict[str, Any]:
    return {key: value for key, value in identity(portable(part.config)).items() if key not in SHARD}


def _whole(part: Stored) -> dict[str, Any]:
    """The configuration of the command without shards."""
    dataset = part.config["dataset"]
    whole = {key: value for key, value in (("shard", 0), ("shards", 1)) if key in dataset}
    return portable({**part.config, "dataset": {**dataset, **whole}})


def _default(part: Stored, whole: dict[str, Any]) -> Path:
    """The folder that `naming.run_name` gives the whole command: beside those of its shards."""
    folder = part.folder.resolve()
    own = digest(portable(part.config))
    if not folder.name.endswith(f"-{own}"):
        raise UserError(f"{part.folder} is not named after its configuration: say with --out where the merged run goes")
    return part.folder.parent / (folder.name.removesuffix(own) + digest(whole))


def _problems(whole: dict[str, Any]) -> tuple[tuple[Problem, ...] | None, str | None]:
    """The problems of the whole run; where the dataset is not at hand, why."""
    try:
        return share(located(whole), "dataset"), None
    except Exception as error:  # Hydra's, around ours
        if (reason := told(error)) is None:
            raise
        return None, f"whether problems are missing is unknown: {reason}"


def _check(parts: Sequence[Stored], problems: Sequence[Problem] | None) -> set[str]:
    """The problems that are done; UserError for two records of one that differ, or one of another dataset."""
    references = None if problems is None else {problem.id: problem.answer for problem in problems}
    seen: dict[str, tuple[bytes, Path]] = {}
    for part in parts:
        for record in part.records():
            if references is not None:
                belongs(record, references, part.folder / RECORDS)
            here = blake2b(_determined(record).to_json().encode()).digest()
            there, first = seen.setdefault(record.problem_id, (here, part.folder))
            if here != there:
                where = f"{first / RECORDS} and {part.folder / RECORDS}"
                raise UserError(f"problem {record.problem_id} differs between {where}: one configuration, two results")
    return set(seen)


def _determined(record: Record) -> Record:
    """Without clocks, and without what depends on the luck of caches, or on how far those samples had come that were
    not needed any more: all that two jobs may differ in."""
    lucky = ["cached_tokens", "prm_tokens", "prm_cached_tokens", "policy_flops", "prm_flops"]
    if record.adaptive:
        lucky += ["prompt_tokens", "policy_calls", "thinking_tokens", "prm_calls", "unread", "rounds"]
    spoken = {"decoded_tokens": record.ledger.decoded_tokens - record.ledger.speculated_tokens, "speculated_tokens": 0}
    ledger = replace(record.ledger, seconds=0.0, **dict.fromkeys(lucky, 0), **spoken)
    return replace(record, run_seconds=0.0, ledger=ledger)


def _keep_versions(folder: Path, parts: Sequence[Stored]) -> None:
    """Those that searched, not those that merge: the first part's."""
    found = {part.folder: (part.folder / VERSIONS).read_text(encoding="utf-8") for part in parts
             if (part.folder / VERSIONS).exists()}  # fmt: skip
    for text in list(found.values())[:1]:
        write(folder / VERSIONS, text)
    if len(set(found.values())) > 1:
        console.print(f"note: {VERSIONS} differs among the parts; that of {next(iter(found))} is kept", markup=False)


def _finish(folder: Path, parts: Sequence[Stored], reason: str | None) -> None:
    """A summary where the run is known to be complete: a folder without one is a run in progress."""
    setting = next((part.setting for part in parts if part.setting), None)
    if reason is None and setting is not None:
        (defaults,) = given([], ())
        conclude(folder, build(parts[0].config, "difficulty"), setting, build(defaults.config, "picture"), redraw=True)
        return
    why = reason or "no part is finished"
    console.print(f"{folder / RECORDS}\nno summary yet ({why}): the command of the run goes on from here", markup=False)


def _arguments() -> argparse.ArgumentParser:
    made = parser("ttcs.merge", "FOLDER ... [--out FOLDER]", EXAMPLES)
    made.add_argument("folders", type=path, nargs="+", metavar="FOLDER", help="a run's folder (with records.jsonl)")
    made.add_argument(
        "--out", type=path, help="folder of the merged run (default: where the command without shards looks)"
    )
    return made


if __name__ == "__main__":
    main()
