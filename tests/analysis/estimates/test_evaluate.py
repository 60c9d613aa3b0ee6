"""Many runs -> one table."""

from __future__ import annotations

import warnings
from pathlib import Path

import pandas as pd
import pytest

from analysis.estimates import evaluate
from analysis.runs.load import RecordsError, load
from tests.analysis.folders import Made, problem, simulated, write


def test_estimates_are_those_of_the_records(sweep: Path) -> None:
    found = evaluate.summary(evaluate.evaluate(load(sweep))).set_index(["method", "n"])
    recorded = load(sweep).problems.query("run in ('bon0', 'bon1')")["correct"].astype(float).mean()
    assert found.loc[("weighted", 16), "accuracy"] == pytest.approx(recorded)
    assert found.loc[("weighted", 16), "seeds"] == 2
    assert found.loc[("greedy", 1), "tokens"] == 10


def test_a_subset_is_charged_its_share_and_majority_no_prm(sweep: Path) -> None:
    found = evaluate.summary(evaluate.evaluate(load(sweep))).set_index(["method", "n"])
    assert found.loc[("weighted", 4), "tokens"] == pytest.approx(40)
    assert found.loc[("weighted", 4), "flops"] == pytest.approx(6000)
    assert found.loc[("majority", 4), "flops"] == pytest.approx(4000)
    assert found.loc[("weighted", 1), "flops"] == found.loc[("majority", 1), "flops"] == pytest.approx(1000)
    assert found.loc[("greedy", 1), "flops"] == pytest.approx(1000)
    assert found.loc[("beam_search", 4), "flops"] == pytest.approx(6000)
    assert found.loc[("weighted", 4), "derived"]
    assert not found.loc[("beam_search", 4), "derived"]


def test_a_summary_within_levels_has_a_row_for_each(sweep: Path) -> None:
    found = evaluate.summary(evaluate.evaluate(load(sweep)), within=["level"])
    one = found[(found["method"] == "beam_search") & (found["n"] == 4)]
    assert one["level"].tolist() == [1, 2, 3, 4, 5]
    assert set(one["n_problems"]) == {4}


def test_a_smaller_run_of_the_same_seed_adds_nothing(sweep: Path) -> None:
    before = evaluate.summary(evaluate.evaluate(load(sweep)))
    write(sweep / "small", simulated(20, 4, 3), n=4, seed=0)
    write(sweep / "copy", simulated(20, 4, 7), strategy="beam_search", n=4, seed=0, width=4)
    pd.testing.assert_frame_equal(before, evaluate.summary(evaluate.evaluate(load(sweep))))


def test_two_settings_of_one_method_are_two_methods(sweep: Path) -> None:
    write(sweep / "wide", simulated(20, 16, 3), strategy="beam_search", n=16, width=8)
    methods = set(evaluate.evaluate(load(sweep))["method"])
    assert {"beam_search (width=4)", "beam_search (width=8)"} <= methods


def test_a_search_with_another_selection_is_a_method_of_its_own(sweep: Path) -> None:
    write(sweep / "voted", simulated(20, 16, 3), strategy="beam_search", n=16, width=4, selection="majority")
    assert "beam_search/majority" in set(evaluate.evaluate(load(sweep))["method"])


def test_seeds_run_with_other_reductions_are_one_majority_and_two_weighted(tmp_path: Path) -> None:
    write(tmp_path / "a", simulated(6, 4, 0), n=4, seed=0, reduction="last")
    write(tmp_path / "b", simulated(6, 4, 1), n=4, seed=1, reduction="min")
    with pytest.warns(UserWarning, match="without seed"):
        methods = set(evaluate.evaluate(load(tmp_path))["method"])
    assert {"majority", "pass", "weighted (reduction=last)", "weighted (reduction=min)"} <= methods
    assert not any(name.startswith("majority (") for name in methods)


def test_chosen_methods_stand_for_their_variants_and_must_be_there(sweep: Path) -> None:
    write(sweep / "wide", simulated(20, 16, 3), strategy="beam_search", n=16, width=8)
    estimates = evaluate.evaluate(load(sweep))
    assert "pass" in set(estimates["method"])
    assert "pass" not in set(evaluate.chosen(estimates, None)["method"])
    found = evaluate.chosen(estimates, ["beam_search", "pass"])
    assert set(found["method"]) == {"beam_search (width=4)", "beam_search (width=8)", "pass"}
    with pytest.raises(RecordsError, match="no run of lookahead; there are greedy, majority, best"):
        evaluate.chosen(estimates, ["majority", "lookahead"])


def test_different_policies_are_not_compared(sweep: Path) -> None:
    write(sweep / "zz", simulated(20, 4), n=4, policy="large")
    with pytest.raises(RecordsError, match=r"different policy .* beam16-0 has tiny, zz has large"):
        evaluate.evaluate(load(sweep))


def test_comparisons_are_over_common_problems(sweep: Path) -> None:
    for seed in (0, 1):
        made = simulated(5, 4, seed)
        write(sweep / f"look{seed}", made, strategy="lookahead", n=4, width=4, seed=seed)
    with pytest.warns(UserWarning, match="compared on the 5 of 20 problems"):
        assert set(evaluate.summary(evaluate.evaluate(load(sweep)))["n_problems"]) == {5}
    write(sweep / "look0", [problem("other", [Made(0, 0.5)], True)], strategy="lookahead", n=4, width=4)
    with pytest.raises(RecordsError, match="none of the 21 problems is in all runs"):
        evaluate.evaluate(load(sweep))


def test_missing_seeds_are_named_and_greedy_has_none(sweep: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluate.evaluate(load(sweep))
    write(sweep / "look", simulated(20, 4), strategy="lookahead", n=4, width=4, seed=1)
    (sweep / "beam16-1" / "records.jsonl").unlink()
    with pytest.warns(UserWarning) as caught:
        evaluate.evaluate(load(sweep))
    assert sorted(str(warning.message) for warning in caught) == [
        "beam_search without seed 1 at n = 16, which other runs have",
        "lookahead without seed 0 at n = 4, which other runs have",
    ]


def test_a_run_in_progress_is_left_out_of_comparisons(sweep: Path) -> None:
    write(sweep / "look", simulated(5, 4), strategy="lookahead", n=4, width=4, finished=False)
    with pytest.warns(UserWarning, match="left out: look"):
        assert "lookahead" not in set(evaluate.evaluate(load(sweep))["method"])


def test_samples_that_a_budget_ended_are_no_smaller_run_and_none_of_a_larger_one(tmp_path: Path) -> None:
    right = [problem(str(number), [Made(0, 0.9, True)] * 3, True) for number in range(4)]
    short = write(tmp_path / "a", right, n=16)
    with (short / "config.yaml").open("a") as config:
        config.write("budget:\n  tokens: 30\n")
    alone = evaluate.summary(evaluate.evaluate(load(tmp_path)))
    assert (alone["n"].tolist(), alone["accuracy"].tolist(), alone["tokens"].tolist()) == ([16], [1.0], [30])
    write(tmp_path / "b", [problem(str(number), [Made(0, 0.9)] * 16, False) for number in range(4)], n=16)
    found = evaluate.summary(evaluate.evaluate(load(tmp_path))).set_index(["method", "n"])["accuracy"]
    assert set(found["majority"]) == {0.0} and found["majority"].index.tolist() == [1, 2, 4, 8, 16]
    assert [accuracy for (method, _), accuracy in found.items() if "budget" in method] == [1.0]
