"""The search tree of one problem, step by step. After an intended change: `python -m tests.strategies.test_golden`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.simulation import STRATEGIES, one

FOLDER = Path(__file__).parents[1] / "golden"


def tree(name: str) -> dict[str, Any]:
    outcome = one(STRATEGIES[name])
    nodes = [
        {
            "node": node.step.node,
            "parent": node.parent,
            "text": node.step.text,
            "tokens": len(node.step.tokens),
            "stop": node.step.stop.value,
            "score": node.step.score,
        }
        for node in outcome.tree
    ]
    return {"tree": nodes, "candidates": [candidate.steps[-1].node for candidate in outcome.candidates]}


@pytest.mark.parametrize("name", sorted(file.stem for file in FOLDER.glob("*.json")))
def test_tree(name: str) -> None:
    assert tree(name) == json.loads((FOLDER / f"{name}.json").read_text())


if __name__ == "__main__":
    for name in STRATEGIES:
        golden = tree(name)
        lines = ",\n  ".join(json.dumps(node) for node in golden["tree"])
        text = f'{{"candidates": {golden["candidates"]},\n "tree": [\n  {lines}\n]}}\n'
        (FOLDER / f"{name}.json").write_text(text)
