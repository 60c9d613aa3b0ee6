"""Small synthetic runs of a policy that thinks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.analysis.folders import Made, problem, write

Thought = tuple[int, bool | None]  # tokens of the thinking, and whether its answer is right (None: rejected, no answer)


def thought(id: str, candidates: Sequence[Thought]) -> dict[str, Any]:
    """One line of records.jsonl. All wrong answers are the same one."""
    made = [Made(None if right is None else int(not right), None, bool(right)) for _, right in candidates]
    row = problem(id, made, _majority([right for _, right in candidates if right is not None]))
    for candidate, (tokens, right) in zip(row["candidates"], candidates, strict=True):
        candidate |= {"thinking": tokens, "tokens": tokens + 5, "stop": "cut" if right is None else "end"}
    row["ledger"] |= {"thinking_tokens": sum(tokens for tokens, _ in candidates)}
    return row


def run(
    folder: Path,
    strategy: str,
    fields: Mapping[str, Any],
    problems: Sequence[Sequence[Thought]],
    n: int = 1,
    seed: int = 0,
    **named: str,
) -> Path:
    """A folder with a problem for each sequence of candidates: p0, p1, ..."""
    rows = [thought(f"p{i}", candidates) for i, candidates in enumerate(problems)]
    settings: Any = {key: json.dumps(value) for key, value in fields.items()}
    return write(folder, rows, strategy=strategy, n=n, seed=seed, selection="majority", settings=settings, **named)


def forcing(thinking: int, waits: int = 0, text: str = "Wait", **fields: Any) -> dict[str, Any]:
    """The settings of budget forcing."""
    return {"thinking": thinking, "waits": waits, "least": None, "text": text, "answer": 20} | fields


def _majority(answers: Sequence[bool]) -> bool:
    return sum(answers) * 2 > len(answers) or (sum(answers) * 2 == len(answers) and bool(answers) and answers[0])
