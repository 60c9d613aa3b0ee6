"""Runs that think as evaluations: what is a method, what a budget, and what counts in a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.papers import thinking
from analysis.papers.budgets import budget
from analysis.papers.limits import limits
from analysis.runs.load import RecordsError, load
from tests.analysis.folders import simulated, write
from tests.analysis.thoughts import forcing, run
from ttcs.records.interval import interval

RIGHT, WRONG = (10, True), (30, False)
FORCED = ["budget_forcing"]


def test_thinking_is_read_and_older_records_have_none(tmp_path: Path) -> None:
    run(tmp_path / "new", "budget_forcing", forcing(64), [[RIGHT], [WRONG]])
    write(tmp_path / "old", simulated(2, 2), n=2)
    records = load(tmp_path)
    assert str(records.candidates["thinking"].dtype) == "Int64"
    assert records.of("new").candidates["thinking"].tolist() == [10, 30]
    assert records.of("old").candidates["thinking"].isna().all()
    assert records.runs["fields"].iloc[0] == {"n": 1, **forcing(64)}


def test_records_that_do_not_say_how_long_was_thought(tmp_path: Path) -> None:
    write(tmp_path / "old", simulated(2, 1), strategy="budget_forcing", n=1)
    with pytest.raises(RecordsError, match=r"old: problem p000 does not say how long was thought"):
        thinking.evaluations(load(tmp_path), FORCED)


def test_an_evaluation_is_of_one_thinking_however_many_there_are(tmp_path: Path) -> None:
    run(tmp_path / "a", "budget_forcing", forcing(64), [[RIGHT, WRONG], [WRONG, WRONG]], n=2)
    run(tmp_path / "b", "budget_forcing", forcing(64), [[RIGHT], [WRONG]], n=1)  # left out: a part of the other
    (one,) = thinking.evaluations(load(tmp_path), FORCED)
    assert one.per_problem("correct").tolist() == [0.5, 0.0]
    assert one.per_problem("thinking").tolist() == [20.0, 30.0]
    assert one.per_problem("tries").tolist() == [1.0, 1.0] and one.per_problem("total").tolist() == [40.0, 60.0]
    (row,) = thinking.summary([one]).to_dict("records")
    assert (row["accuracy"], row["thinking"], row["n_problems"], row["seeds"]) == (0.25, 25.0, 2, 1)
    assert (row["low"], row["high"]) == interval([0.5, 0.0])[1:]


def test_rejected_tries_do_not_count_and_the_last_stands_where_all_were(tmp_path: Path) -> None:
    problems = [[(20, None), (20, None), (10, True)], [(20, None)] * 3, [(15, False)]]
    run(tmp_path / "a", "rejection_sampling", {"thinking": 20}, problems, n=3)
    (one,) = thinking.evaluations(load(tmp_path), ["rejection_sampling"])
    assert one.per_problem("correct").tolist() == [1.0, 0.0, 0.0]
    assert one.per_problem("thinking").tolist() == [10.0, 20.0, 15.0]
    assert one.per_problem("tries").tolist() == [3.0, 3.0, 1.0]
    assert one.per_problem("total").tolist() == [50.0, 60.0, 15.0]


def test_budgets_make_a_line_and_other_settings_a_method(tmp_path: Path) -> None:
    for number, settings in enumerate([forcing(64), forcing(128), forcing(128, 2), forcing(128, answer=5)]):
        run(tmp_path / str(number), "budget_forcing", settings, [[RIGHT]])
    for forced in (True, False):
        fields = {"thinking": 64, "forced": forced, "instruction": "Think, for up to 64 tokens."}
        run(tmp_path / f"t{forced}", "token_conditional", fields, [[RIGHT]])
    found = thinking.evaluations(load(tmp_path), [*FORCED, "token_conditional"])
    assert {(one.method, one.budget) for one in found} == {
        ("budget_forcing (answer=20)", "thinking=64"),
        ("budget_forcing (answer=20)", "thinking=128"),
        ("budget_forcing (answer=20)", "thinking=128, waits=2, text=Wait"),
        ("budget_forcing (answer=5)", "thinking=128"),
        ("token_conditional", "thinking=64"),
        ("token_conditional (forced)", "thinking=64"),
    }


def test_one_appended_string_is_drawn(tmp_path: Path) -> None:
    several = [forcing(64), forcing(64, 1), forcing(64, 2), forcing(64, 2, "Hmm"), forcing(64, 0, "Hmm")]
    for number, settings in enumerate(several):
        run(tmp_path / str(number), "budget_forcing", settings, [[RIGHT]])
    records = load(tmp_path)
    budgets = {text: {one.budget for one in thinking.evaluations(records, FORCED, text)} for text in (None, "Hmm")}
    assert budgets[None] == {"thinking=64", "thinking=64, waits=1, text=Wait", "thinking=64, waits=2, text=Wait"}
    assert budgets["Hmm"] == {"thinking=64", "thinking=64, waits=2, text=Hmm"}
    assert len(thinking.every(records, FORCED)) == 4
    with pytest.raises(RecordsError, match="no run of budget_forcing appends 'Well'; there are 'Hmm', 'Wait'"):
        thinking.evaluations(records, FORCED, "Well")


def test_an_instruction_beside_its_class_is_no_budget() -> None:
    fields = {"length": "long", "instruction": "Answer after a long, long time.", "thinking": 64}
    assert budget("class_conditional", fields) == "length=long, thinking=64"
    assert budget("budget_forcing", forcing(64, least=32)) == "thinking=64, waits=0, least=32, text=Wait"


def test_evaluations_are_over_the_problems_of_all(tmp_path: Path) -> None:
    run(tmp_path / "a", "budget_forcing", forcing(64), [[RIGHT], [WRONG]])
    run(tmp_path / "b", "budget_forcing", forcing(128), [[RIGHT], [WRONG], [WRONG]])
    with pytest.warns(UserWarning, match="compared on the 2 of 3 problems"):
        found = thinking.evaluations(load(tmp_path), FORCED)
    assert [len(one.table) for one in found] == [2, 2]


def test_the_limits_that_each_evaluation_was_given(tmp_path: Path) -> None:
    run(tmp_path / "a", "budget_forcing", forcing(64), [[(20, True)]])
    run(tmp_path / "b", "budget_forcing", forcing(128), [[(40, True)]])
    run(tmp_path / "c", "budget_forcing", forcing(512, least=32), [[(50, True)]])
    run(tmp_path / "s", "step_conditional", {"steps": 8, "forced": False}, [[RIGHT]])
    for length in ("short", "long"):
        run(tmp_path / length, "class_conditional", {"length": length, "forced": False}, [[RIGHT]])
    strategies = [*FORCED, "step_conditional", "class_conditional"]
    found = thinking.evaluations(load(tmp_path), strategies)
    known = {one.budget: limit for one, limit in zip(found, limits(found, 100), strict=True)}
    assert known == {
        "thinking=64": (0, 64),
        "thinking=128": (0, 128),
        "thinking=512, waits=0, least=32, text=Wait": (32, 512),
        "steps=8": (0, 800),
        "length=short": (0, 40),  # what it thinks unasked
        "length=long": (40, float("inf")),
    }
    alone = thinking.evaluations(load(tmp_path), ["class_conditional"])
    assert all(str(limit) == "(nan, nan)" for limit in limits(alone, 100))
