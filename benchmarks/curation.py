"""Rows a second of a curation, on made-up rows of realistic length with bad ones planted among them.

60,000 rows: questions of about 300 words, traces of about 3,000. The models' stages are left out: they cost what the
models do. Counts are exact, and equal to what was planted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.harness import Effort, Result, Side, Spread
from ttcs.curation.funnel import Funnel

ROWS, QUICK_ROWS = 60_000, 6_000
SEED = 0
TESTS = 700  # questions of the test set: as many as those of MATH-500 and GPQA Diamond
PROCESSES = 2
DOMAINS = {"geometry": "triangle", "number theory": "prime", "mechanics": "velocity", "biology": "protein"}
DRAWING = "   /\\\n  /  \\\n /____\\\n |    |\n"
# stage -> reason -> one row in so many; a row is bad in one way only.
PLANTED = {
    ("failed", "no thinking"): 40,
    ("failed", "no answer"): 50,
    ("failed", "error message"): 60,
    ("quality", "image"): 70,
    ("quality", "image reference"): 80,
    ("quality", "ASCII art"): 90,
    ("quality", "numbering"): 100,
    ("quality", "encoding"): 110,
    ("quality", "HTML"): 120,
    ("quality", "LaTeX"): 130,
    ("decontaminate", "in test"): 140,
    ("duplicates", "duplicate"): 150,
}
Line = dict[str, str | None]


def measure(effort: Effort) -> Iterator[Result]:
    size = QUICK_ROWS if effort.quick else ROWS
    with TemporaryDirectory() as folder:
        planted = write(Path(folder), size)
        started, cpu = perf_counter(), os.times()
        funnel = curated(Path(folder))
        wall, after = perf_counter() - started, os.times()
    used = after.children_user + after.children_system - cpu.children_user - cpu.children_system
    found = {(stage, reason): rows for stage, reasons in funnel.dropped.items() for reason, rows in reasons.items()}
    assert {bad: found.get(bad, 0) for bad in PLANTED} == planted, f"found {found}, planted {dict(planted)}"
    counters = {stage: left for stage, reason, _, left in funnel.lines if not reason}
    yield Result(
        "curation",
        f"{size:,} rows, {PROCESSES} processes: rows curated a second",
        Spread.exact(size / wall),
        None,
        sides={"rows left": Side(wall, used, counters)},
        unit=" rows/s",
        note=", ".join(f"{reason} {rows:,}" for (_, reason), rows in planted.items()),
    )


def curated(folder: Path) -> Funnel:
    """By the command itself, its start included."""
    changes = [
        "recipe=zoo",
        "~stages.difficulty",
        "domain@stages.domain=keywords",
        "~stages.decontaminate.tests.zoo",
        "+dataset@stages.decontaminate.tests.test=jsonl",
        f"stages.decontaminate.tests.test.path={folder / 'test.jsonl'}",
        f"sources.traces.path={folder / 'traces.jsonl'}",
        f"processes={PROCESSES}",
        f"out={folder / 'out'}",
    ]
    subprocess.run([sys.executable, "-m", "ttcs.curation", *changes], check=True, stdout=subprocess.DEVNULL)
    return Funnel.read(folder / "out" / "funnel.csv")


def write(folder: Path, size: int) -> Counter[tuple[str, str]]:
    """Traces and a test set; which bad rows were planted, and how many."""
    rng = Random(f"{SEED}/curation")
    vocabulary = ["".join(rng.choices("abcdefghijklmnoprstuvwy", k=rng.randint(2, 10))) for _ in range(20_000)]
    tests = [" ".join(rng.choices(vocabulary, k=rng.randint(20, 200))) for _ in range(TESTS)]
    with (folder / "test.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"id": i, "question": text, "answer": "1"}) + "\n" for i, text in enumerate(tests))
    planted: Counter[tuple[str, str]] = Counter()
    before: Line | None = None
    with (folder / "traces.jsonl").open("w", encoding="utf-8") as file:
        for number in range(size):
            row = sound(rng, number, vocabulary)
            places = enumerate(PLANTED.items(), 1)  # each kind begins at another row, else 40 would hide 80
            bad = next((bad for place, (bad, every) in places if number % every == place), None)
            if bad is not None and (before is not None or bad[1] != "duplicate"):
                row = spoilt(rng, row, bad[1], tests, before)
                planted[bad] += 1
            else:
                before = row
            file.write(json.dumps(row) + "\n")
    return planted


def sound(rng: Random, number: int, vocabulary: Sequence[str]) -> Line:
    question = " ".join([*rng.choices(vocabulary, k=rng.randint(200, 400)), rng.choice([*DOMAINS.values()]) + "?"])
    trace = " ".join(rng.choices(vocabulary, k=rng.randint(1_000, 5_000)))
    answer = " ".join(rng.choices(vocabulary, k=rng.randint(50, 150))) + f" \\boxed{{{number}}}"
    row = {"id": str(number), "question": question, "thinking": trace.replace(" a", ".\na"), "answer": answer}
    return row | {"reference": str(number), "domain": None}


def spoilt(rng: Random, row: Line, reason: str, tests: Sequence[str], before: Line | None) -> Line:
    """The row with one thing wrong with it."""
    question, thinking = str(row["question"]), str(row["thinking"])
    words = rng.choice(tests).split()
    start = rng.randrange(len(words) - 8)
    changes: dict[str, Line] = {
        "no thinking": {"thinking": None},
        "no answer": {"answer": " "},
        "error message": {"answer": "Error: 429 Too Many Requests"},
        "image": {"question": f"{question} ![](plot.png)"},
        "image reference": {"question": f"As shown in the figure below, {question}"},
        "ASCII art": {"thinking": f"{thinking}\n{DRAWING}{thinking[:100]}"},
        "numbering": {"question": f"3. {question}"},
        "encoding": {"thinking": f"{thinking} caf\N{REPLACEMENT CHARACTER}"},
        "HTML": {"question": f"{question}<br>"},
        "LaTeX": {"answer": f"\\begin{{align}} {row['answer']}"},
        "in test": {"question": f"{question} {' '.join(words[start : start + 8]).upper()}"},
        "duplicate": {} if before is None else {"question": str(before["question"]).upper() + " ."},
    }
    return row | changes[reason]
