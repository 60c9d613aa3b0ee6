"""What is read from the record of a search, and shown of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import ttcs
from tests.simulation import PROBLEMS
from ttcs.core import Stop
from ttcs.records.record import CandidateRecord, NodeRecord, Record
from ttcs.search.ledger import Ledger
from ttcs.solving.found import Found


def candidate(leaf: int, answer: str | None, group: int | None, score: float | None) -> CandidateRecord:
    return CandidateRecord(leaf, answer, group, score, None, 3, Stop.END, None)


def found(*candidates: CandidateRecord, chosen: int | None, by_scores: bool = True) -> Found:
    tree = (
        NodeRecord(0, None, "<think>", 1, Stop.STEP, None, thinking=True),
        NodeRecord(1, 0, "a < b\n", 1, Stop.STEP, 0.5),
        NodeRecord(2, 1, "so 1", 1, Stop.END, 0.9),
        NodeRecord(3, 1, "so 2", 1, Stop.END, 0.2),
    )
    answer = None if chosen is None else candidates[chosen].answer
    record = Record("p", None, None, None, answer, None, chosen, 0.0, Ledger(), tuple(candidates), tree)
    return Found(ttcs.Problem("p", "Is <b> 1 & 2?"), record, by_scores)


THREE = candidate(2, "1", 0, 0.9), candidate(3, "2", 1, 0.2), candidate(3, "2.0", 1, 0.4)


def test_the_share_is_of_the_weight() -> None:
    assert found(*THREE, chosen=0).confidence == pytest.approx(0.9 / 1.5)
    assert found(*THREE, chosen=2, by_scores=False).confidence == pytest.approx(2 / 3)
    assert found(*THREE, candidate(3, None, None, 0.7), chosen=0).confidence == pytest.approx(0.9 / 1.5)


def test_a_lone_answer_without_a_score_has_all_of_it() -> None:
    assert found(candidate(2, "1", 0, None), chosen=0).confidence == 1.0


def test_no_answer_has_none() -> None:
    nothing = found(candidate(2, None, None, 0.3), chosen=None)
    assert (nothing.answer, nothing.text, nothing.confidence, nothing.answers) == (None, None, 0.0, ())
    assert "None" in nothing._repr_html_()


def test_answers_come_with_the_chosen_one_first_and_their_best_candidates() -> None:
    told = found(*THREE, chosen=2).answers
    assert [(answer.text, answer.candidates) for answer in told] == [("2.0", (2, 1)), ("1", (0,))]
    assert sum(answer.share for answer in told) == pytest.approx(1.0)


def test_the_text_is_the_solution_without_its_thinking() -> None:
    assert found(*THREE, chosen=0).text == "a < b\nso 1"
    assert [node.node for node in found(*THREE, chosen=0).steps(1)] == [0, 1, 3]


def test_the_page_escapes_what_was_written() -> None:
    page = found(*THREE, chosen=0)._repr_html_()
    assert "Is &lt;b&gt; 1 &amp; 2?" in page and "a &lt; b" in page and "<b>so 1</b>" in page and "so 2 " in page
    assert page.count("<ul") == page.count("</ul>") and page.count("<li>") == page.count("</li>") == 4


@pytest.fixture
def solver() -> Iterator[ttcs.Solver]:
    with ttcs.solver("policy=scripted", "prm=scripted") as made:
        yield made


def test_of_a_real_search_too(solver: ttcs.Solver) -> None:
    told = solver.solve(PROBLEMS[0], strategy="beam_search", n=64)
    assert told.confidence == told.answers[0].share and told.answers[0].text == told.answer
    assert told.text is not None and told.text == told.solution(told.record.chosen or 0)
    assert len(told._repr_html_()) < 200_000
