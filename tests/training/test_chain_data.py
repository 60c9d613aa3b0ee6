"""What should have come next in chains of revisions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands import typed
from ttcs.__main__ import main
from ttcs.errors import UserError
from ttcs.training.chain_data import ChainData


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Runs of chains and of samples on the same problems."""
    call = typed("ttcs", main, monkeypatch, capsys, "policy=scripted", "prm=scripted", "dataset.limit=20")
    shared = ("n=8", "selection=majority")
    for name, words in (("chains", ("strategy=revisions", "strategy.chains=2")), ("samples", ("strategy=best_of_n",))):
        code, _, error = call(*shared, *words, f"hydra.run.dir={tmp_path}/{name}")
        assert code == 0, error
    return str(tmp_path / "chains"), str(tmp_path / "samples")


def examples(folders: tuple[str, str], tmp_path: Path, per_problem: int | None = None) -> list[dict[str, object]]:
    out = tmp_path / "out.jsonl"
    ChainData([folders[0]], [folders[1]], str(out), 0, per_problem).run()
    return [json.loads(line) for line in out.read_text().splitlines()]


def test_a_right_attempt_is_left_alone_and_a_wrong_one_gets_a_right_answer(
    folders: tuple[str, str], tmp_path: Path
) -> None:
    found = examples(folders, tmp_path)
    assert found
    kinds = set()
    for line in found:
        attempts, answer = line["attempts"], line["answer"]
        assert isinstance(attempts, list) and isinstance(answer, str)
        assert 1 <= len(attempts) <= 4 and " err " not in answer
        right = " err " not in attempts[-1]
        assert (answer == attempts[-1]) == right
        kinds.add(right)
    assert kinds == {True, False}


def test_as_many_of_a_problem_as_asked_for(folders: tuple[str, str], tmp_path: Path) -> None:
    found = [line["problem_id"] for line in examples(folders, tmp_path, per_problem=2)]
    assert all(found.count(problem) == 2 for problem in found)


def test_samples_alone_make_no_examples(folders: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no revision of a problem with a right answer"):
        ChainData([folders[1]], [folders[1]], str(tmp_path / "out.jsonl"), 0).run()
