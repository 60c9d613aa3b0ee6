"""The exchange of pretraining and inference FLOPs: the budgets of the paper, and figures on records that are known."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from matplotlib.figure import Figure as Canvas

from analysis.drawing import equal_flops
from analysis.estimates import evaluate, optimal
from analysis.estimates.bins import Bins, Estimates
from analysis.estimates.bins import bins as cut_bins
from analysis.estimates.evaluate import ESTIMATES
from analysis.figures.exchange import Exchange
from analysis.papers import comparison
from analysis.papers.exchange import Exact, Nominal, Pair, accounting, read_off, relative_change
from analysis.papers.pair import Reported, policies
from analysis.runs.load import Records, RecordsError, load
from tests.analysis.folders import Made, problem, simulated, write
from ttcs.config.options import CONF

SMALL, LARGE = 50, 700  # parameters: the ledgers of the synthetic runs are 1000 FLOPs for 10 tokens, 2 N each
FIGURE = Exchange(
    show=["exchange", "relative_change"],
    accounting="v1",
    ratios=None,
    method="weighted",
    candidates=None,
    difficulty="annotated",
    bins=5,
    own=False,
    parameters={"small": SMALL, "large": LARGE},
    large=None,
)


def nominal(name: str, scale: int = 14) -> list[float]:
    count = accounting(name)
    pair = Pair(1, scale, 1.0, None, None)
    return [count.budget(pair, ratio) for ratio in count.ratios]


@pytest.mark.parametrize(("name", "expected"), [("v1", [257.8, 63.4, 15.8]), ("iclr", [257.8, 62.8, 15.8])])
def test_budgets_at_14_times_the_parameters(name: str, expected: list[float]) -> None:
    assert nominal(name) == pytest.approx(expected, abs=0.051)


def test_a_model_of_equal_size_buys_nothing() -> None:
    assert nominal("v1", 1) == [1.0, 1.0, 1.0]


def test_at_the_exact_budget_both_cost_the_same() -> None:
    pair = Pair(small=930_688, large=7_000_000, sample_flops=3.3e8, large_tokens=120.0, large_flops=2.1e9)
    for ratio in (0.16, 0.79, 22.0):
        queries, pretraining_tokens = 1e6, 1e6 * 120.0 / ratio
        small = 6 * pair.small * pretraining_tokens + queries * Exact(()).budget(pair, ratio) * pair.sample_flops
        assert small == pytest.approx(6 * pair.large * pretraining_tokens + queries * 2.1e9)


def test_the_exact_budget_is_that_of_v1_where_a_token_costs_2_n() -> None:
    pair = Pair(100, 1400, 2 * 100 * 30.0, 30.0, 2 * 1400 * 30.0)
    for ratio in (0.16, 0.79, 22.0):
        assert Exact(()).budget(pair, ratio) == pytest.approx(Nominal(3.0, ()).budget(pair, ratio))


def test_an_unknown_accounting_is_refused() -> None:
    with pytest.raises(RecordsError, match="one of v1, iclr, exact"):
        replace(FIGURE, accounting="v2")


def test_lines_are_read_off_between_their_points_and_never_beyond() -> None:
    budgets, lines = (2.0, 8.0, 16.0), np.array([[0.0, 0.5, 1.0], [1.0, 0.0, 0.0]])
    read = [read_off(budgets, lines, at) for at in (2.0, 4.0, 8.0, 16.0, 400.0)]
    assert [list(values) for values in read if values is not None] == [
        [0.0, 1.0], [0.25, 0.5], [0.5, 0.0], [1.0, 0.0], [1.0, 0.0],
    ]  # fmt: skip
    assert read_off(budgets, lines, 1.9) is None


def test_relative_change_is_of_the_larger_models_accuracy() -> None:
    small, large = np.array([1.0, 1.0, 0.5, 0.5] * 20), np.array([1.0, 0.0, 1.0, 0.0] * 20)
    change = relative_change(small, large)
    assert change.mean == pytest.approx(0.5)
    assert 0.2 < change.low < 0.5 < change.high < 1.0
    assert relative_change(large, large) == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)


def test_relative_change_has_no_number_where_the_larger_model_has_no_accuracy() -> None:
    assert np.isnan(relative_change(np.ones(5), np.zeros(5))).all()
    rare = relative_change(np.ones(5), np.array([1.0, 0.0, 0.0, 0.0, 0.0]))
    assert (rare.mean, rare.high) == (4.0, np.inf)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Level 1 is easy for both, and on level 2 the larger policy alone gets anywhere: two seeds of 16 samples."""
    for seed in (0, 1):
        easy = [{**record, "level": 1} for record in simulated(30, 16, seed, skill=30.0)]
        hard = [
            {**record, "level": 2, "problem_id": f"h{i}"}
            for i, record in enumerate(simulated(30, 16, seed, skill=0.02))
        ]
        write(tmp_path / f"small{seed}", [*easy, *hard], n=16, seed=seed, policy="small")
    greedy(tmp_path / "large", 0.6, 0.9)
    return tmp_path


def greedy(folder: Path, easy: float, hard: float, **named: Any) -> None:
    rows: list[dict[str, Any]] = []
    for level, letter, share in ((1, "p", easy), (2, "h", hard)):
        for i in range(30):
            right = i < share * 30
            row = problem(f"p{i:03}" if letter == "p" else f"h{i}", [Made(0, None, right)], right, level)
            row["ledger"] |= {"policy_flops": 14_000, "prm_flops": 0}
            rows.append(row)
    write(folder, rows, strategy="greedy", n=1, **({"policy": "large"} | named))


def tables(figure: Exchange, *roots: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        both, stars = (panel.table for panel in figure.panels(load(*roots)))
    return both[both["n"].notna()], stars


def test_a_star_is_the_larger_policy_at_equal_flops(root: Path) -> None:
    lines, stars = tables(FIGURE, root)
    assert lines[lines["bin"] == 1]["budget"].tolist() == [1, 2, 4, 8, 16]
    assert stars["budget"].round(1).tolist() == [257.8, 257.8, 63.4, 63.4, 15.8, 15.8]
    assert stars["accuracy"].tolist() == pytest.approx([0.6, 0.9] * 3)
    assert (stars["low"] < stars["accuracy"]).all() and (stars["accuracy"] < stars["high"]).all()
    assert stars["n_problems"].tolist() == [30] * 6


def test_whoever_is_above_wins_but_pretraining_only_where_the_line_was_measured(root: Path) -> None:
    _, stars = tables(FIGURE, root)
    assert stars["wins"].tolist() == [
        "test-time compute",
        "",
        "test-time compute",
        "",
        "test-time compute",
        "pretraining",
    ]
    assert stars["used"].round(1).tolist() == [16, 16, 16, 16, 15.8, 15.8]
    easy, hard = stars.iloc[4], stars.iloc[5]
    assert easy["difference_low"] > 0 and hard["difference_high"] < 0
    assert easy["relative"] == pytest.approx(easy["small"] / 0.6 - 1)
    assert hard["relative_low"] < hard["relative"] < hard["relative_high"] < 0


def test_what_was_not_measured_is_said(root: Path) -> None:
    figure = replace(FIGURE, ratios=[0.16, 22.0])
    with pytest.warns(
        UserWarning, match=r"R=0.16: c is 257.8, and the small policy is measured up to 16 samples"
    ) as said:
        figure.panels(load(root))
    assert len(said) == 1


def test_a_line_that_begins_above_c_is_not_compared(root: Path) -> None:
    figure = replace(FIGURE, parameters={"small": 500, "large": 700}, ratios=[22.0], method="beam_search")
    for seed in (0, 1):
        made = [{**record, "level": 1} for record in simulated(30, 16, seed, width=4)]
        write(root / f"beam{seed}", made, strategy="beam_search", n=16, seed=seed, width=4, policy="small")
    with (
        pytest.warns(UserWarning, match=r"R=22: c is 1.455, below the small policy's smallest budget"),
        pytest.warns(UserWarning, match="compared on the 30 of 60 problems"),
    ):
        stars = figure.panels(load(root))[1].table
    assert stars["small"].isna().all() and stars["wins"].tolist() == [""]


def test_exact_charges_the_prm(root: Path) -> None:
    lines, stars = tables(replace(FIGURE, accounting="exact"), root)
    assert lines[lines["bin"] == 1]["budget"].tolist() == [1, 3, 6, 12, 24]  # a sample 1000 FLOPs, its scores 500
    assert stars["budget"].round(1).tolist() == [257.8, 257.8, 63.4, 63.4, 15.8, 15.8]  # all tokens cost 2 N here


def test_quantile_bins_come_from_the_small_policys_pools(root: Path) -> None:
    lines, stars = tables(replace(FIGURE, difficulty="oracle", bins=2), root)
    assert sorted(set(lines["bin"])) == [1, 2]
    ends = lines[lines["n"] == 16].set_index("bin")["accuracy"]
    assert ends[1] > 0.9 > 0.5 > ends[2]
    assert set(stars["bin"]) == {1, 2}
    with pytest.raises(RecordsError, match="own=true"):
        replace(FIGURE, difficulty="oracle", bins=2).panels(load(root / "small0", root / "large"))


def test_numbers_can_stand_in_for_a_run_of_the_larger_policy(root: Path) -> None:
    large = Reported("paper", 700, {1: 0.6, 2: 0.9})
    figure = replace(FIGURE, large=large)
    _, stars = tables(figure, root / "small0", root / "small1")
    assert stars["accuracy"].tolist() == pytest.approx([0.6, 0.9] * 3)
    assert stars[["low", "high"]].isna().all(axis=None)
    assert stars["relative_low"].notna().all()
    with pytest.raises(RecordsError, match="no bin 2: it has 1"):
        tables(replace(figure, large=replace(large, accuracy={1: 0.6})), root / "small0", root / "small1")
    with pytest.raises(RecordsError, match="needs a greedy run"):
        tables(replace(figure, accounting="exact"), root / "small0", root / "small1")


def test_records_that_do_not_allow_it_are_refused(root: Path) -> None:
    small = root / "small0", root / "small1"
    with pytest.raises(RecordsError, match="records of 1 policies, not 2: small"):
        FIGURE.panels(load(*small))
    with pytest.raises(RecordsError, match="how many parameters policy large has"):
        replace(FIGURE, parameters={"small": 50}).panels(load(root))
    with pytest.raises(RecordsError, match="no more than the small one"):
        replace(FIGURE, parameters={"small": 50, "large": 50}).panels(load(root))
    with pytest.raises(RecordsError, match="no finished greedy run of policy small"):
        replace(FIGURE, parameters={"small": 700, "large": 50}).panels(load(root))
    greedy(root / "third", 1.0, 1.0, policy="third")
    with pytest.raises(RecordsError, match="records of 3 policies, not 2"):
        replace(FIGURE, parameters={"small": 50, "large": 700, "third": 70}).panels(load(root))


def test_other_problems_under_the_same_names_are_refused(root: Path) -> None:
    text = (root / "large" / "records.jsonl").read_text()
    (root / "large" / "records.jsonl").write_text(text.replace('"reference": "0"', '"reference": "1"', 1))
    with pytest.raises(RecordsError, match="problem p000 has another reference"):
        FIGURE.panels(load(root))


def test_sizes_are_read_from_the_records(root: Path) -> None:
    records = load(root)
    known = Records(records.runs.assign(policy_parameters=[900, 50, 50]), records.problems, records.candidates)
    assert [(model.name, model.parameters) for model in policies(known, {})] == [("small", 50), ("large", 900)]
    torn = Records(records.runs.assign(policy_parameters=[900, 50, 60]), records.problems, records.candidates)
    with pytest.raises(RecordsError, match="runs of policy small have the same settings, but 50 and 60 parameters"):
        policies(torn, {})


def estimates(method: str, right_in: int) -> pd.DataFrame:
    """Right on every problem of one bin, wrong on the others: ten problems a bin."""
    rows = [
        (method, "dvts", "weighted", "", n, 0, f"{bin_}-{i}", bin_, float(bin_ == right_in), 9.0, 99.0, 1.0, False)
        for n in (4, 16) for bin_ in (1, 2) for i in range(10)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=ESTIMATES)


def test_compute_optimal_chooses_on_one_half_and_reports_on_the_other() -> None:
    both = pd.concat([estimates("one", 1), estimates("two", 2)], ignore_index=True)
    member = both.drop_duplicates("problem_id")[["seed", "problem_id"]].assign(value=0.0)
    cut = member.assign(bin=[int(id[0]) for id in member["problem_id"]])
    bins = Bins(Estimates("oracle", 1, member, 0.0, 0.0), cut, ())
    line = comparison.line(both, "compute_optimal", bins)
    assert line.groupby("n")["correct"].agg(["mean", "size"]).to_numpy().tolist() == [[1.0, 20], [1.0, 20]]
    assert comparison.line(both, "one", bins)["correct"].mean() == 0.5


def test_the_line_of_compute_optimal_is_that_of_its_figure(root: Path) -> None:
    """Averaged over the same deals."""
    records = load(root / "small0", root / "small1")
    found = evaluate.evaluate(records)
    cut = cut_bins(records, sorted(set(found["problem_id"])), [0, 1], "annotated")
    names = ["majority", "best", "weighted"]
    line = comparison.line(found, "compute_optimal", cut, names)
    for grid in optimal.grids(found, names):
        row = optimal.curve(grid, optimal.members(grid, cut), resamples=10)
        here = line[line["n"] == grid.n]
        assert len(here) == 120
        assert here[["correct", "tokens", "flops"]].mean().tolist() == pytest.approx(
            [row["accuracy"], 10 * grid.n, (1000 + 500 * (grid.n > 1)) * grid.n]  # the costs: all that may be spent
        )


def test_the_line_of_compute_optimal_goes_on_where_the_choice_spends_less(root: Path) -> None:
    """Beam search falls at 16, where nothing else was run: the choice stays with that of 4, as measured up to 16."""
    for n, skill in ((4, 30.0), (16, 0.02)):
        for seed in (0, 1):
            made = [{**record, "level": 1} for record in simulated(30, n, 40 + seed, skill=skill)]
            write(root / f"b{n}{seed}", made, strategy="beam_search", n=n, seed=seed, width=4, policy="small")
    figure = replace(FIGURE, method="compute_optimal", candidates=["beam_search"], ratios=[22.0])
    lines, stars = tables(figure, root)
    assert lines["budget"].tolist() == [4, 16]
    assert lines["accuracy"].tolist() == pytest.approx([lines["accuracy"].max()] * 2)
    assert stars["used"].tolist() == pytest.approx(stars["budget"].tolist())


def test_a_choice_among_methods_of_other_seeds_is_over_those_they_share_at_every_n(root: Path) -> None:
    for n, seeds in ((4, (0, 1)), (16, (0,))):
        for seed in seeds:
            made = [r for one in (1, 2) for r in _levelled(one, n, seed)]
            write(root / f"b{n}{seed}", made, strategy="beam_search", n=n, seed=seed, width=4, policy="small")
    figure = replace(
        FIGURE, method="compute_optimal", candidates=["weighted", "beam_search"], difficulty="oracle", bins=2
    )
    lines, stars = tables(figure, root)
    assert lines["accuracy"].notna().all() and lines["low"].notna().all()
    assert stars["small"].notna().all()


def _levelled(level: int, n: int, seed: int) -> list[dict[str, Any]]:
    rows = simulated(30, n, 40 + seed, width=4, skill=30.0 if level == 1 else 0.02)
    return [
        {**record, "level": level, "problem_id": record["problem_id"] if level == 1 else f"h{i}"}
        for i, record in enumerate(rows)
    ]


@pytest.mark.parametrize(("method", "candidates"), [("greedy", None), ("compute_optimal", ["greedy"])])
def test_greedy_of_another_seed_is_that_of_all(root: Path, method: str, candidates: list[str] | None) -> None:
    greedy(root / "small-greedy", 0.3, 0.1, policy="small", seed=7)
    lines, _ = tables(replace(FIGURE, method=method, candidates=candidates), root)
    assert lines["accuracy"].tolist() == pytest.approx([0.3, 0.1])


@pytest.mark.parametrize(("accounting", "unit"), [("v1", "tokens"), ("exact", "flops")])
def test_a_budget_is_not_made_of_costs_that_nobody_knows(root: Path, accounting: str, unit: str) -> None:
    bare(root / "small0")
    with pytest.raises(RecordsError, match=f"the small policy have no {unit} on record"):
        tables(replace(FIGURE, accounting=accounting), root)


def test_a_larger_policy_without_costs_is_known_by_its_accuracy_alone(root: Path) -> None:
    bare(root / "large")
    assert tables(FIGURE, root)[1]["wins"].iloc[0] == "test-time compute"
    with pytest.raises(RecordsError, match="accounting=exact needs a greedy run of the larger policy"):
        tables(replace(FIGURE, accounting="exact"), root)


def bare(folder: Path) -> None:
    """Without the costs, as of solutions that were imported."""
    rows = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    write_rows = [json.dumps({**row, "ledger": {"generations": 1}}) + "\n" for row in rows]
    (folder / "records.jsonl").write_text("".join(write_rows))


def test_runs_of_compute_optimal_go_before_a_choice(root: Path) -> None:
    for samples in (2, 4):
        made = [r for one in (1, 2) for r in _levelled(one, 16, 0)]
        write(
            root / f"co{samples}", made, strategy="compute_optimal", n=16, policy="small", settings={"samples": samples}
        )
    with pytest.raises(RecordsError, match="method=compute_optimal is several"):
        tables(replace(FIGURE, method="compute_optimal"), root)


def test_the_pictures_hold_what_the_tables_say(root: Path, tmp_path: Path) -> None:
    with pytest.warns(UserWarning):
        exchange, change = FIGURE.panels(load(root))
    ax = exchange.draw(Canvas().add_subplot(), exchange.table)
    stars = [line for line in ax.lines if line.get_marker() == "*"]
    assert [list(star.get_ydata()) for star in stars] == [pytest.approx([0.6] * 3), pytest.approx([0.9] * 3)]
    assert np.asarray(stars[0].get_xdata()) == pytest.approx([257.75, 63.367, 15.773], rel=0.02)
    assert "not measured " in [text.get_text() for text in ax.texts]
    bars = [bar for bar in change.draw(Canvas().add_subplot(), change.table).patches if bar.get_height()]
    assert len(bars) == 6
    assert [bar.get_hatch() for bar in bars] == ["///", "///", None] * 2
    assert {path.name for path in exchange.save(tmp_path, ["png"])} == {"exchange.png", "exchange.csv"}


def test_r_is_called_as_in_the_paper() -> None:
    assert [equal_flops.kind(r) for r in (0.16, 0.08, 0.79, 0.4, 22, 11)] == ["≪ 1", "≪ 1", "≈ 1", "≈ 1", "≫ 1", "≫ 1"]


@pytest.mark.parametrize(("option", "shown"), [("exchange", "exchange"), ("relative_change", "relative_change")])
def test_the_options_are_built_from_their_yaml(option: str, shown: str) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("analysis", [f"figure={option}", "+figure.parameters.zoo=930688"])
    built = instantiate(config.figure, _convert_="all")
    assert (built.show, built.parameters, built.accounting) == ([shown], {"zoo": 930688}, "v1")
