"""Small synthetic run folders, in the format of docs/records.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Made:
    """A candidate to be: group None is no answer, score None is not scored."""

    group: int | None
    score: float | None = None
    correct: bool = False
    subtree: int | None = None


def problem(id: str, candidates: Sequence[Made], correct: bool | None = None, level: int = 1) -> dict[str, Any]:
    """One line of records.jsonl: each candidate is two steps, the first scored 0.5, the second its score."""
    tree, rows = [], []
    for index, made in enumerate(candidates):
        first, second = 2 * index, 2 * index + 1
        tree.append({"node": first, "parent": None, "text": "## Step 1\n\n", "tokens": 4, "stop": "step", "score": 0.5})
        tree.append({"node": second, "parent": first, "text": "end", "tokens": 6, "stop": "end", "score": made.score})
        rows.append(
            {"leaf": second, "answer": None if made.group is None else str(made.group), "group": made.group,
             "score": made.score, "correct": made.correct, "tokens": 10, "stop": "end", "subtree": made.subtree}
        )  # fmt: skip
    size = len(candidates)
    ledger = {"prompt_tokens": 5, "cached_tokens": 0, "decoded_tokens": 10 * size, "prm_tokens": 15 * size,
              "seconds": 0.1, "policy_flops": 1000 * size, "prm_flops": 500 * size}  # fmt: skip
    return {"problem_id": id, "level": level, "family": "sum", "reference": "0", "answer": "0", "correct": correct,
            "chosen": 0 if candidates else None, "tree": tree, "candidates": rows, "ledger": ledger}  # fmt: skip


def write(
    folder: Path,
    problems: Sequence[Mapping[str, Any]],
    *,
    strategy: str = "best_of_n",
    n: int,
    seed: int = 0,
    selection: str = "weighted",
    finished: bool = True,
    width: int | None = None,
    settings: Mapping[str, int] | None = None,
    shard: tuple[int, int] = (0, 1),
    **named: str,
) -> Path:
    """A run folder. settings: of the strategy; shard: (which, of how many); named: policy, prm, dataset, reduction."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(record) + "\n" for record in problems)
    (folder / "records.jsonl").write_text(lines, encoding="utf-8")
    known = {"width": width} if width else {}
    fields = "".join(f"\n  {key}: {value}" for key, value in {**known, **(settings or {})}.items())
    target = f"  _target_: ttcs.strategies.{strategy}.Some\n  n: {n}{fields}"
    config = f"n: {n}\nseed: {seed}\nstrategy:\n{target}\n"
    config += f"selection:\n  _target_: ttcs.choice.selection.{selection.title()}\n"
    if shard != (0, 1):
        config += f"dataset:\n  shard: {shard[0]}\n  shards: {shard[1]}\n"
    (folder / "config.yaml").write_text(config, encoding="utf-8")
    if finished:
        names = {"policy": "tiny", "prm": "tiny", "dataset": "zoo", "reduction": "last"} | named
        summary = {"strategy": strategy, "selection": selection, "n": n, "seed": seed, "wall_seconds": 8.0, **names}
        (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    return folder


def simulated(
    problems: int, n: int, seed: int = 0, width: int | None = None, skill: float = 1.0
) -> list[dict[str, Any]]:
    """Problems of varying difficulty with a systematic wrong answer, and a verifier that is right more often than not.

    width: in subtrees of so many siblings, else independent samples. skill shifts the odds of a right answer.
    """
    rng = np.random.default_rng(seed)
    records = []
    for number in range(problems):
        easy = np.random.default_rng((99, number)).beta(0.9, 1.3)
        p = easy * skill / (easy * skill + 1 - easy)
        made, names = [], dict[str, int]()
        for index in range(n):
            kind = "" if rng.random() < 0.05 else "right" if rng.random() < p else (
                "trap" if rng.random() < 0.45 else f"slip {rng.integers(40)}")  # fmt: skip
            right = kind == "right"
            score = float(1 / (1 + np.exp(-rng.normal(1.2 if right else -0.9, 1.1))))
            group = names.setdefault(kind, len(names)) if kind else None
            made.append(Made(group, score, right, None if width is None else index // width))
        records.append(problem(f"p{number:03}", made, correct=_weighted(made), level=1 + number % 5))
    return records


def _weighted(made: Sequence[Made]) -> bool:
    totals: dict[int, float] = {}
    for candidate in made:
        if candidate.group is not None:
            totals[candidate.group] = totals.get(candidate.group, 0.0) + (candidate.score or 0.0)
    best = max(totals, key=lambda group: totals[group], default=None)
    return any(candidate.correct for candidate in made if candidate.group == best and best is not None)
