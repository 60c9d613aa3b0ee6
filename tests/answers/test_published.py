"""The published cases of other graders, and the gold answers of MATH-500."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.answers.crowding import crowding
from ttcs.answers import equivalent, extract

DATA = Path(__file__).parents[3] / "shared" / "data"
BAR = 0.96


def _lines(name: str) -> list[dict[str, Any]]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return [json.loads(line) for line in path.read_text().splitlines()]


def _cases(kind: str) -> list[dict[str, Any]]:
    return [case for case in _lines("answer_cases.jsonl") if case["kind"] == kind and not case.get("debatable")]


def _right(case: dict[str, Any]) -> bool:
    start = time.monotonic()
    verdicts = equivalent(case["a"], case["b"]), equivalent(case["b"], case["a"])
    elapsed = time.monotonic() - start
    assert elapsed < 5 or elapsed < 5 * crowding(), case["id"]
    assert verdicts[0] == verdicts[1], case["id"]
    return bool(verdicts[0] == case["expected"])


def test_published_equivalences() -> None:
    cases = _cases("equiv")
    wrong = [case["id"] for case in cases if not _right(case)]
    assert len(wrong) <= (1 - BAR) * len(cases), wrong


def test_published_extractions() -> None:
    cases = _cases("extract")
    wrong = [case["id"] for case in cases if not _extracted(case)]
    assert len(wrong) <= (1 - BAR) * len(cases), wrong


def _extracted(case: dict[str, Any]) -> bool:
    answer = extract(case["text"])
    accepted = [case["expected"], *case.get("accept", [])]
    return answer in [text if text is None else text.strip() for text in accepted]


def test_forms_that_real_models_end_with() -> None:
    cases = _lines("answer_forms.jsonl")
    wrong = [case["id"] for case in cases if _solves(case["text"], case["reference"]) != case["correct"]]
    assert not wrong


def _solves(text: str, reference: str) -> bool:
    answer = extract(text)
    return answer is not None and equivalent(answer, reference)


def test_every_gold_solution_holds_its_answer() -> None:
    for problem in _lines("math500.jsonl"):
        found = extract(problem["solution"])
        assert found is not None and equivalent(found, problem["answer"]), problem["unique_id"]
        assert equivalent(problem["answer"], problem["answer"]), problem["unique_id"]
