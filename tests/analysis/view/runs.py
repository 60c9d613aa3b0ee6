"""Runs for the window: the one that is kept in tests/golden, and changes to its records."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parents[2] / "golden" / "earlier_run"  # three problems, best-of-N, n = 8
HOSTILE = "</script><script>document.title='taken'</script><!-- <img src=x onerror=\"document.title='taken'\"> & \u2028"


def copied(folder: Path, change: Callable[[list[dict[str, Any]]], object] = bool) -> Path:
    """A copy of the run. change: what is done to the rows of its records."""
    shutil.copytree(GOLDEN / "run", folder)
    rows = records(folder)
    change(rows)
    (folder / "records.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "records.jsonl").read_text(encoding="utf-8").splitlines()]


def hostile(rows: list[dict[str, Any]]) -> None:
    """Markup wherever a record has text."""
    for row in rows:
        row["answer"] = row["family"] = HOSTILE
        for part in row["tree"]:
            part["text"] = HOSTILE
        for part in row["candidates"]:
            part["answer"] = HOSTILE


def wrong(rows: list[dict[str, Any]]) -> None:
    """The first problem answered otherwise, and wrongly."""
    rows[0] |= {"answer": "5", "correct": False}
