"""Many runs of revisions as one table, and the figures of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.figures.exchange import Exchange
from analysis.figures.flips import Flips
from analysis.figures.optimal import ComputeOptimal
from analysis.figures.optimal_ratio import OptimalRatio
from analysis.figures.ratio import Ratio
from analysis.figures.revision_steps import RevisionSteps
from analysis.figures.revision_verifiers import RevisionVerifiers
from analysis.figures.sequential import SequentialParallel
from analysis.papers import revisions
from analysis.runs.load import Records, RecordsError, load
from tests.analysis.folders import Made, problem, write

FLIP, FIX, PROBLEMS = 0.38, 0.2, 40
RATIO = Ratio("revisions", "hierarchical", None, None, "oracle", 2, False)
OPTIMAL = ComputeOptimal("ratio", ["revisions", "weighted"], ["majority", "weighted"], ["oracle", "predicted"], 2, None,
                         False, True, "hierarchical")  # fmt: skip


def chained(seed: int, chains: int, attempts: int, flip: float = FLIP, fix: float = FIX) -> list[dict[str, Any]]:
    """Problems whose attempts turn around at known rates; each revision names those it was shown, at most four."""
    rows = []
    for number in range(PROBLEMS):
        rng = np.random.default_rng((seed, number, chains))
        made: list[Made] = []
        for chain in range(chains):
            right = bool(rng.random() < (number + 1) / (PROBLEMS + 1))
            for place in range(attempts):
                if place:
                    right = bool(rng.random() < (1 - flip if right else fix))
                score = float(1 / (1 + np.exp(-rng.normal(1.0 if right else -1.0))))
                made.append(Made(0 if right else int(rng.integers(1, 3)), score, right, chain))
        row = problem(f"p{number:02}", made, made[0].correct, 1 + number % 5)
        for index, candidate in enumerate(row["candidates"]):
            shown = range(index - min(index % attempts, 4), index)
            candidate["revises"] = [row["candidates"][i]["leaf"] for i in shown]
        rows.append(row)
    return rows


def runs(root: Path, shapes: tuple[tuple[int, int], ...] = ((16, 1), (4, 4), (1, 16)), **named: str) -> Path:
    for seed in (0, 1):
        for chains, attempts in shapes:
            settings = {"chains": chains, "window": 4}
            write(root / f"{chains}-{seed}", chained(seed, chains, attempts), strategy="revisions", n=chains * attempts,
                  seed=seed, settings=settings, selection="hierarchical", **named)  # fmt: skip
    return root


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return load(runs(tmp_path))


def test_each_grid_is_read_once_from_the_run_with_the_most_chains(records: Records) -> None:
    table = revisions.grids(records, "revisions")
    assert not table.duplicated(["seed", "problem_id", "selection", "chains", "attempts"]).any()
    pairs = set(zip(table["attempts"], table["chains"], strict=True))
    assert pairs >= {(16, 1), (8, 1), (4, 4), (2, 4), (4, 2), (1, 16), (1, 1)} and (8, 2) not in pairs
    one = table[(table["chains"] == 1) & (table["attempts"] == 1) & (table["selection"] == "pass")]
    pool = records.candidates[records.candidates["strategy"] == "best_of_n"]
    expected = pool.groupby(["seed", "problem_id"])["correct"].mean()
    assert list(one.set_index(["seed", "problem_id"])["correct"].sort_index()) == pytest.approx(list(expected))


def test_the_rates_of_a_known_policy_are_recovered(records: Records) -> None:
    (panel,) = Flips("revisions").panels(records)
    total = panel.table[panel.table["attempt"].isna()].set_index("kind")
    for kind, rate in (("correct to wrong", FLIP), ("wrong to correct", FIX)):
        row = total.loc[kind]
        assert row["low"] < row["rate"] < row["high"] < row["low"] + 0.15
        assert row["rate"] == pytest.approx(rate, abs=0.06)
    assert set(panel.table["attempt"].dropna()) == set(range(2, 17))
    assert total["pairs"].sum() == 2 * PROBLEMS * 15


def test_pass_at_1_at_each_step(records: Records) -> None:
    panel, ahead = RevisionSteps("revisions").panels(records)
    table = panel.table.set_index("attempt")
    assert list(table.index) == list(range(1, 17))
    assert list(table["chains"]) == [4] * 4 + [1] * 12
    candidates = records.candidates[(records.candidates["n"] == 16) & (records.candidates["run"].str.startswith("4-"))]
    second = candidates[candidates["index"] % 4 == 1]["correct"].mean()
    assert table.loc[2, "accuracy"] == pytest.approx(second)
    gain = ahead.table.set_index("attempt")
    assert list(gain.index) == list(range(2, 17))
    assert gain.loc[2, "gain"] == pytest.approx(second - table.loc[1, "accuracy"])
    assert gain.loc[2, "high"] - gain.loc[2, "low"] < table.loc[2, "high"] - table.loc[2, "low"]  # paired


def test_a_chain_that_ended_keeps_its_last_attempt(tmp_path: Path) -> None:
    made = [Made(0, 0.9, True, 0), Made(1, 0.2, False, 1), Made(1, 0.2, False, 1)]
    write(tmp_path, [problem("p", made, True)], strategy="revisions", n=6, settings={"chains": 2})
    steps = revisions.steps(load(tmp_path), "revisions").set_index("attempt")["correct"]
    assert dict(steps) == {1: 0.5, 2: 0.5}


def test_what_was_cut_off_is_not_revised(tmp_path: Path) -> None:
    """The third attempt was shown the first alone."""
    row = problem("p", [Made(0, 0.9, True, 0), Made(None, None, False, 0), Made(1, 0.2, False, 0)], True)
    first = row["candidates"][0]["leaf"]
    row["candidates"][1]["revises"] = row["candidates"][2]["revises"] = [first]
    write(tmp_path, [row], strategy="revisions", n=3, settings={"chains": 1})
    pairs = revisions.revised(load(tmp_path))
    assert list(pairs["attempt"]) == [2, 3] and pairs["before"].all() and not pairs["after"].any()


def test_sequential_and_parallel_begin_at_the_same_sample(records: Records) -> None:
    (panel,) = SequentialParallel("revisions", 1, ["weighted", "majority"], ["n"]).panels(records)
    table = panel.table.set_index(["method", "n"])["accuracy"]
    assert set(panel.table["method"]) == {
        f"{a}/{b}" for a in ("sequential", "parallel") for b in ("weighted", "majority")
    }
    assert table["sequential/weighted", 1] == table["parallel/weighted", 1]
    assert table["sequential/weighted", 16] != table["parallel/weighted", 16]


def test_a_line_for_each_n_and_for_each_bin(records: Records) -> None:
    by_n, by_bin = RATIO.panels(records)
    shapes = by_n.table.groupby("n")["ratio"].agg(list)
    assert shapes[16] == [1 / 16, 1.0, 16.0] and shapes[4] == [1 / 4, 1.0, 4.0] and 2 not in shapes.index
    assert set(by_bin.table["bin"]) == {1, 2} and set(by_bin.table["n"]) == {16}
    easy, hard = (by_bin.table[by_bin.table["bin"] == bin]["accuracy"].mean() for bin in (1, 2))
    assert easy > hard


def test_bins_need_another_seed(tmp_path: Path) -> None:
    one = load(runs(tmp_path)).only(["16-0", "4-0", "1-0"])
    with pytest.warns(UserWarning, match="no ratio_by_bin: the bins of the runs of seed 0 have to come from"):
        assert [panel.name for panel in RATIO.panels(one)] == ["ratio"]
    assert [panel.name for panel in replace(RATIO, own=True).panels(one)] == ["ratio", "ratio_by_bin"]


def test_the_best_ratio_is_never_worse_than_parallel_in_sample(records: Records) -> None:
    outputs = {output.name: output for output in OptimalRatio("revisions", "hierarchical", OPTIMAL).panels(records)}
    table = outputs["ratio_vs_n"].table.set_index(["method", "n"])["accuracy"]  # type: ignore[attr-defined]
    for n in (1, 4, 16):
        assert table["compute_optimal (oracle, in-sample)", n] >= table["weighted", n] - 1e-9
    cells = outputs["ratio_choice_predicted"].table  # type: ignore[attr-defined]
    run = cells[(cells["n"] == 16) & (cells["size"] == 16)]
    assert set(run["method"]) == {"revisions (16:1)", "revisions (4:4)", "weighted"}
    assert not any(name.endswith("json") for name in outputs)


def test_the_best_ratio_of_a_budget_may_be_one_of_a_smaller_n(tmp_path: Path) -> None:
    """At 32 one chain alone was run, which loses here; it is no reason to fall below what 16 samples do."""
    records = load(runs(tmp_path, ((16, 1), (1, 32))))
    outputs = {output.name: output for output in OptimalRatio("revisions", "hierarchical", OPTIMAL).panels(records)}
    table = outputs["ratio_vs_n"].table  # type: ignore[attr-defined]
    for kind in ("oracle", "predicted"):
        chosen = table[table["method"] == f"compute_optimal ({kind}, in-sample)"].sort_values("n")
        assert list(chosen["n"]) == [1, 2, 4, 8, 16, 32] and chosen["accuracy"].is_monotonic_increasing
    cells = outputs["ratio_choice_oracle"].table  # type: ignore[attr-defined]
    last = cells[cells["n"] == 32]
    assert set(zip(last["method"], last["size"], strict=True)) >= {("weighted", 16), ("revisions (32:1)", 32)}


def test_a_line_for_each_verifier_of_revisions(tmp_path: Path) -> None:
    for name in ("orm", "prm"):
        runs(tmp_path / name, ((4, 4),), prm=name)
    (panel,) = RevisionVerifiers("revisions", 4, "hierarchical", ["n"]).panels(load(tmp_path))
    assert set(panel.table["label"]) == {"orm", "prm", "Majority (no verifier)"}
    assert set(panel.table["n"]) == {4, 8, 16}
    with pytest.raises(RecordsError, match="no 8 chains with the selection hierarchical of PRM orm; chains: 1, 2, 4"):
        RevisionVerifiers("revisions", 8, "hierarchical", ["n"]).panels(load(tmp_path))


def test_revisions_against_a_larger_policy(tmp_path: Path) -> None:
    """The budget of a grid is its decoded tokens over those of one sample."""
    runs(tmp_path / "small", ((16, 1), (4, 4)), policy="small")
    rows = [problem(f"p{i:02}", [Made(0, None, True)], True, 1 + i % 5) for i in range(PROBLEMS)]
    write(tmp_path / "large", rows, strategy="greedy", n=1, policy="large")
    sizes = {"small": 50, "large": 700}
    figure = Exchange(["exchange"], "v1", None, "revisions", None, "oracle", 1, False, sizes, None)
    with pytest.warns(UserWarning, match="c is 257.8"):
        (panel,) = figure.panels(load(tmp_path))
    lines = panel.table.dropna(subset=["n"])
    assert list(lines["n"]) == [4, 8, 16] and list(lines["budget"]) == pytest.approx([4.0, 8.0, 16.0])
    with pytest.warns(UserWarning, match="c is 257.8"):
        (panel,) = replace(figure, method="compute_optimal", candidates=["revisions", "weighted"]).panels(
            load(tmp_path)
        )
    assert list(panel.table.dropna(subset=["n"])["n"]) == [1, 2, 4, 8, 16]


@pytest.mark.parametrize(
    "figure",
    [
        RevisionSteps("revisions"),
        Flips("revisions"),
        SequentialParallel("revisions", 1, ["weighted"], ["n"]),
        RATIO,
        OptimalRatio("revisions", "hierarchical", OPTIMAL),
    ],
)
def test_without_runs_of_revisions(sweep: Path, figure: Any) -> None:
    with pytest.raises(RecordsError, match="no run of revisions with whole chains of attempts; there are runs of "):
        figure.panels(load(sweep))


def test_one_shape_alone_has_no_ratios(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="n = any has fewer than 3 ratios on record"):
        RATIO.panels(load(runs(tmp_path, ((1, 16),))))


def test_other_settings_are_not_mixed(tmp_path: Path) -> None:
    runs(tmp_path)
    settings = {"chains": 2, "window": 1}
    write(tmp_path / "w", chained(0, 2, 4), strategy="revisions", n=8, settings=settings, selection="hierarchical")
    with pytest.raises(
        RecordsError, match=r"different settings \(reduction=last, window=1; reduction=last, window=4\)"
    ):
        revisions.grids(load(tmp_path), "revisions")


@pytest.mark.parametrize("figure", [RevisionSteps("revisions"), Flips("revisions"), RATIO])
def test_pictures_are_drawn(records: Records, figure: Any, tmp_path: Path) -> None:
    for panel in figure.panels(records):
        files = panel.save(tmp_path / "out", ["png"])
        assert [file.suffix for file in files] == [".png", ".csv"] and all(file.stat().st_size for file in files)
