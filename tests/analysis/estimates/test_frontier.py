"""Stopping rules from the samples of larger runs: paired with the votes of a fixed n, and against these by cost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.estimates.frontier import FIXED, Rules, Votes, frontier, setting, sizes, tokens_at
from analysis.figures.frontier import Frontier
from analysis.runs.load import RecordsError, load
from tests.analysis.folders import Made, problem, simulated, write
from ttcs.choice.confident import Confident
from ttcs.choice.selection import Majority, Weighted
from ttcs.choice.stopping.beta import Beta
from ttcs.choice.stopping.never import Never
from ttcs.choice.stopping.settled import Settled
from ttcs.choice.stopping.weighted_beta import WeightedBeta
from ttcs.choice.stopping.window import Window
from ttcs.errors import UserError

RULES: Rules = {"beta": [Beta(0.6), Beta(0.9), Beta(0.99)], "settled": [Settled()], "never": [Never()]}
VOTES = Votes(Majority(), None, 4, 4)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    folder = tmp_path_factory.mktemp("runs")
    for seed in (0, 1):
        write(folder / f"s{seed}", simulated(30, 16, seed), n=16, seed=seed)
    write(folder / "small", simulated(30, 4), n=4)  # a smaller run tells nothing new
    return frontier(VOTES.estimates(load(folder), RULES))


def test_a_point_for_every_setting_and_every_size(table: pd.DataFrame) -> None:
    assert [*table["method"].unique()] == [FIXED, "beta", "settled", "never"]
    assert table[table["method"] == FIXED]["setting"].tolist() == [str(size) for size in sizes(16)]
    assert table[table["method"] == "beta"]["setting"].tolist() == ["0.6", "0.9", "0.99"]
    assert set(table["n_problems"]) == {30} and set(table["seeds"]) == {2}


def test_never_is_all_n_and_settled_is_as_good_for_less(table: pd.DataFrame) -> None:
    full = table[table["method"] == FIXED].iloc[-1]
    never, settled = (table[table["method"] == name].iloc[0] for name in ("never", "settled"))
    for row in (never, settled):
        assert row["accuracy"] == full["accuracy"]
        assert row["difference"] == row["difference_low"] == row["difference_high"] == 0
    assert never["of_all"] == 1.0 and settled["of_all"] < 0.9
    assert (never["samples"], never["tokens"], never["rounds"]) == (16, 160, 4)  # ahead = 4: 5 at a time
    assert full["rounds"] == 1 and full["latency"] == 10


def test_a_higher_threshold_costs_more(table: pd.DataFrame) -> None:
    beta = table[table["method"] == "beta"]
    assert beta["tokens"].is_monotonic_increasing and beta["tokens"].is_unique
    assert (beta["speculated"] <= 4 * 10).all()
    assert (beta["low"] <= beta["accuracy"]).all() and (beta["share_low"] <= beta["share"]).all()


def test_tokens_at_equal_accuracy() -> None:
    curve, tokens = np.array([[0.2, 0.4, 0.3, 0.6]]), np.array([[10.0, 20, 30, 40]])
    found = [tokens_at(np.array([at]), curve, tokens)[0] for at in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.9)]
    assert found == pytest.approx([10, 10, 15, 20, 35, 40, 40])


def test_of_equal_accuracy_the_share_is_that_of_the_tokens(table: pd.DataFrame) -> None:
    """A rule that is the vote of all n needs the tokens of the size at which that accuracy is first reached."""
    fixed = table[table["method"] == FIXED]
    first = fixed[fixed["accuracy"].cummax() >= fixed["accuracy"].iloc[-1] - 1e-12].iloc[0]
    never = table[table["method"] == "never"].iloc[0]
    assert never["share"] == pytest.approx(never["tokens"] / first["tokens"])


def test_settings_are_named_by_their_numbers() -> None:
    assert [setting(rule) for rule in (Beta(0.95), Window(4), Settled())] == ["0.95", "4", ""]
    assert sizes(1) == [1] and sizes(6) == [1, 2, 3, 4, 5, 6]


def test_what_the_records_do_not_allow(tmp_path: Path) -> None:
    write(tmp_path / "beam", simulated(4, 4), strategy="beam_search", n=4)
    with pytest.raises(RecordsError, match="no finished run of best_of_n"):
        VOTES.estimates(load(tmp_path), RULES)
    short = write(tmp_path / "short", [problem("a", [Made(0, None, True)] * 3, True)], n=4)
    with pytest.raises(RecordsError, match="problem a has 3 samples, not 4"):
        VOTES.estimates(load(short), RULES)
    whole = write(tmp_path / "whole", [problem("a", [Made(0, None, True)] * 4, True)], n=4)
    with pytest.raises(RecordsError, match="n=5 is not one of 1 to 4"):
        Votes(Majority(), 5, 4, 4).estimates(load(whole), RULES)
    uncounted = problem("a", [Made(0, None, True)] * 4, True)
    uncounted["candidates"][1]["tokens"] = None
    with pytest.raises(RecordsError, match="there is no number of tokens for the samples of problem a"):
        VOTES.estimates(load(write(tmp_path / "uncounted", [uncounted], n=4)), RULES)


def test_of_runs_of_one_seed_that_one_is_read_that_says_most(tmp_path: Path) -> None:
    scored = [problem(str(id), [Made(0, 0.9, True), *[Made(1, 0.1)] * 3], True) for id in range(6)]
    blind = [problem(str(id), [Made(0, None, True), *[Made(1)] * 3], False) for id in range(6)]
    write(tmp_path / "a", blind, n=4, selection="majority")
    write(tmp_path / "b", scored[:2], n=4)
    write(tmp_path / "c", scored, n=4)
    ended = write(tmp_path / "d", [row | {"candidates": row["candidates"][:2]} for row in scored], n=8)
    with (ended / "config.yaml").open("a") as config:
        config.write("budget:\n  tokens: 20\n")
    with pytest.warns(UserWarning, match="left out b"):
        table = Votes(Weighted(), None, 4, 4).estimates(load(tmp_path), {"weighted": [WeightedBeta(0.9)]})
    full = table[(table["method"] == FIXED) & (table["setting"] == "4")]
    assert full["correct"].tolist() == [1.0] * 6
    with pytest.raises(RecordsError, match="has scores, which the selection or a rule reads"):
        Votes(Majority(), None, 4, 4).estimates(load(tmp_path / "a"), {"weighted": [WeightedBeta(0.9)]})


def test_votes_by_confidence_go_by_what_is_on_record(tmp_path: Path) -> None:
    rows = problem("a", [Made(0, None, True), Made(1), Made(1)], True)
    for candidate, sure in zip(rows["candidates"], (9.0, 4.0, 4.5), strict=True):
        candidate["confidence"] = [sure, None]
    told = write(tmp_path / "told", [rows], n=3, settings={"confidence": 20})
    votes, least = (Votes(Confident(measure, 1.0), None, 1, 4) for measure in ("mean", "least"))
    found = votes.estimates(load(told), RULES)
    assert found[found["method"] == "never"]["correct"].tolist() == [1.0]  # 9 against 8.5
    with pytest.raises(UserError, match=r"sample with strategy.confidence=20 strategy.window=64$"):
        least.estimates(load(told), RULES)
    silent = write(tmp_path / "silent", [problem("a", [Made(0, None, True)] * 3, True)], n=3)
    with pytest.raises(UserError, match=r"BestOfN do not say: sample with strategy.confidence=20$"):
        votes.estimates(load(silent), RULES)


def test_the_picture_and_the_table(tmp_path: Path) -> None:
    records = load(write(tmp_path / "run", simulated(20, 8), n=8))
    panel, sheet = Frontier(RULES, Majority(), None, 3, 4).panels(records)
    files = [*panel.save(tmp_path / "out", ["png"]), *sheet.save(tmp_path / "out", ["png"])]
    assert sorted({file.name for file in files}) == [
        "frontier.csv",
        "frontier.png",
        "frontier_tokens.csv",
        "frontier_tokens.md",
    ]
    lines = sheet.text.splitlines()
    assert lines[2].startswith("| Rule ") and lines[4].startswith("| Fixed n ")
    assert len(lines) == 5 + sum(map(len, RULES.values()))
