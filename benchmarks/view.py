"""How long the page of a large run takes to open: `python -m benchmarks.view [PROBLEMS] [N]` (default: 500 and 256).

The run is generated: solutions of 3 to 9 steps, of words and numbers that hardly repeat, as the texts of a model do.
Opening is from the navigation of a fresh browser to the moment when the first problem's search has been drawn. Needs
Chromium.
"""

from __future__ import annotations

import sys
from os import getloadavg
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from analysis.view.__main__ import view
from tests.analysis.folders import write
from tests.analysis.view.browser import browser

WORDS = (
    "so",
    "then",
    "divide",
    "add",
    "both",
    "sides",
    "by",
    "the",
    "sum",
    "of",
    "what",
    "is",
    "left",
    "gives",
    "each",
    "term",
)
TRIES = 3


def main(problems: int = 500, n: int = 256) -> None:
    with TemporaryDirectory() as place:
        folder = write(Path(place) / "run", [problem(number, n) for number in range(problems)], n=n, finished=False)
        began = perf_counter()
        page = view([folder], Path(place) / "search.html")
        print(f"{problems} problems at n = {n}: records {size(folder / 'records.jsonl')}, page {size(page)}, "
              f"written in {perf_counter() - began:.1f} s")  # fmt: skip
        for number in range(TRIES):
            with browser(Path(place) / f"profile{number}") as tab:
                tab.open(page)
                opened = tab.ask("performance.getEntriesByName('drawn')[0].startTime")
                busy = tab.busy()
                tab.wait("document.readyState === 'complete'")
                read = tab.ask("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
                print(f"opened in {opened / 1000:.2f} s ({busy:.2f} s of them computing), all of it read after "
                      f"{read / 1000:.2f} s; load of the machine {getloadavg()[0]:.1f}")  # fmt: skip


def problem(number: int, n: int) -> dict[str, Any]:
    """A line of records.jsonl: n solutions that share no step."""
    random = Random(number)
    tree: list[dict[str, Any]] = []
    candidates = []
    for _ in range(n):
        steps, parent = random.randint(3, 9), None
        for at in range(steps):
            text = f"## Step {at + 1}: {' '.join(random.choices(WORDS, k=14))} ${random.randint(2, 9999)}$\n\n"
            node = {"node": len(tree), "parent": parent, "text": text, "tokens": 30, "score": random.random()}
            tree.append(node | {"stop": "end" if at == steps - 1 else "step"})
            parent = node["node"]
        group = min(int(random.expovariate(0.5)), 12)
        candidates.append({"leaf": parent, "answer": str(group), "group": group, "score": tree[-1]["score"],
                           "correct": group == 0, "tokens": 30 * steps, "stop": "end", "subtree": None})  # fmt: skip
    ledger = {"decoded_tokens": 30 * len(tree), "generations": n}
    return {"problem_id": f"{number}", "level": 1 + number % 5, "family": None, "reference": "0", "answer": "0",
            "correct": True, "chosen": 0, "run_seconds": 1.0, "ledger": ledger, "candidates": candidates,
            "tree": tree}  # fmt: skip


def size(file: Path) -> str:
    return f"{file.stat().st_size / 1e6:.0f} MB"


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
