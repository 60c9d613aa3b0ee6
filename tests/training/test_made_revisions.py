"""Pairs that the generator writes."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from ttcs.training.made_revisions import MadeRevisions
from ttcs.zoo.chains.problems import Chains
from ttcs.zoo.generator import LEVELS, Mistakes, Split, exercises


def made(tmp_path: Path, slip: float, **settings: Any) -> list[dict[str, Any]]:
    out = tmp_path / "made.jsonl"
    MadeRevisions(str(out), 0, 200, 6, 4, 2, Mistakes([slip] * len(LEVELS)), **settings).run()
    return [json.loads(line) for line in out.read_text().splitlines()]


def test_attempts_are_wrong_and_answers_right(tmp_path: Path) -> None:
    lines = made(tmp_path, 0.2)
    assert len(lines) == 200 and max(Counter(line["question"] for line in lines).values()) <= 2
    stream = exercises("0/revisions", Split.TRAIN)
    worked = {exercise.question: exercise.solution() for exercise in (next(stream) for _ in range(1000))}
    sizes = Counter(len(line["attempts"]) for line in lines)
    assert set(sizes) == set(range(5))
    for line in lines:
        _, answer = worked[line["question"]]
        assert rf"\boxed{{{answer}}}" in line["answer"]
        assert not any(rf"\boxed{{{answer}}}" in attempt for attempt in line["attempts"])


def test_without_mistakes_there_is_nothing_to_revise(tmp_path: Path) -> None:
    assert all(line["attempts"] == [] for line in made(tmp_path, 0.0))


def test_chains_are_revised_as_sums_are(tmp_path: Path) -> None:
    lines = made(tmp_path, 0.2, problems=Chains())
    assert all("Check: " in line["answer"] and line["answer"].count(": fits.") == 1 for line in lines)
    assert any("does not fit." in attempt for line in lines for attempt in line["attempts"])


def test_the_seed_decides(tmp_path: Path) -> None:
    assert made(tmp_path, 0.2) == made(tmp_path, 0.2)
