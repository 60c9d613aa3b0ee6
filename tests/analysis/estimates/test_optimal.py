"""The compute-optimal choice: unbiased where it is cross-fitted, and a table that a search can read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure as Canvas
from omegaconf import OmegaConf

from analysis.estimates import evaluate, optimal
from analysis.estimates.bins import Bins, Estimates
from analysis.estimates.pool import Floats, Ints
from analysis.figures.optimal import ComputeOptimal
from analysis.runs.load import Records, RecordsError, load
from tests.analysis.folders import simulated, write
from ttcs.choice import reduction
from ttcs.choice.optimal import load as load_table
from ttcs.strategies.beam_search import BeamSearch
from ttcs.strategies.best_of_n import BestOfN

METHODS = ("majority", "weighted", "beam_search")


def grid(correct: Floats, methods: tuple[str, ...] = METHODS) -> optimal.Grid:
    """correct: (problems, seeds, methods); method k costs k + 1 tokens."""
    costs = np.broadcast_to(np.arange(1.0, len(methods) + 1), correct.shape)
    ids = tuple(f"p{number}" for number in range(len(correct)))
    sizes = (16,) * len(methods)
    return optimal.Grid(16, methods, sizes, ids, tuple(range(correct.shape[1])), correct, costs, 10 * costs)


def drawn(problems: int, seeds: int = 1) -> Floats:
    return np.full((1, problems), 1 / problems)


def test_on_noise_the_cross_fitted_choice_is_the_mean_and_the_in_sample_one_is_above() -> None:
    rng = np.random.default_rng(0)
    fair, biased = [], []
    for _ in range(40):
        noise = grid(rng.integers(0, 2, size=(100, 1, 3)).astype(np.float64))
        member = rng.integers(1, 6, size=(100, 1))
        mean = noise.correct.mean()
        fair.append(optimal.outcome(noise, member, drawn(100))[0, 0] - mean)
        biased.append(optimal.outcome(noise, member, drawn(100), in_sample=True)[0, 0] - mean)
    assert abs(np.mean(fair)) < 0.01
    assert np.mean(biased) > 0.06
    assert min(biased) > 0


def test_what_differs_by_bin_is_found() -> None:
    correct = np.zeros((40, 2, 3))
    correct[:20, :, 0], correct[20:, :, 2] = 1.0, 1.0
    member = np.repeat([[1, 1], [2, 2]], 20, axis=0)
    row = optimal.curve(grid(correct), member, resamples=200)
    assert (row["accuracy"], row["low"], row["high"]) == pytest.approx((1.0, 1.0, 1.0))
    assert row["over_weighted"] == pytest.approx(1.0)
    assert 0.3 < row["over_fixed_low"] < row["over_fixed"] <= row["over_fixed_high"]
    assert (row["tokens"], row["flops"]) == pytest.approx((2.0, 20.0))


def test_with_one_bin_it_is_the_best_fixed_method() -> None:
    correct = np.random.default_rng(1).random((30, 2, 3))
    correct[:, :, 1] += 1
    row = optimal.curve(grid(correct), np.ones((30, 2), np.int64), resamples=100)
    assert row["accuracy"] == pytest.approx(correct[:, :, 1].mean())
    assert row["over_fixed"] == row["over_fixed_low"] == row["over_fixed_high"] == 0.0
    assert row["over_weighted"] == pytest.approx(0.0)


def test_a_tie_goes_to_the_cheaper_method() -> None:
    same = grid(np.ones((8, 1, 3)))
    assert optimal.outcome(same, np.ones((8, 1), np.int64), drawn(8))[0].tolist() == [1.0, 1.0, 10.0]


def test_by_hand() -> None:
    """Four problems in one bin: whatever the deal, each half chooses for the other."""
    correct = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float64)[:, None, :]
    one = grid(correct, ("majority", "weighted"))
    inside = np.ones(4, bool)
    expected = []
    for deal in range(optimal.DEALS):
        first, second = optimal.folds(one.problems, inside, deal)
        for choosing, reporting in ((first, second), (second, first)):
            best = int(np.argmax(correct[choosing, 0].mean(axis=0)))
            expected.append(correct[reporting, 0, best].mean())
    found = optimal.outcome(one, np.ones((4, 1), np.int64), drawn(4))[0, 0]
    assert found == pytest.approx(np.mean(expected))


def test_folds_are_balanced_disjoint_and_do_not_depend_on_the_order() -> None:
    ids = [f"p{number}" for number in range(21)]
    inside = np.arange(21) % 3 > 0
    first, second = optimal.folds(ids, inside)
    assert not (first & second).any() and ((first | second) == inside).all()
    assert abs(int(first.sum()) - int(second.sum())) <= 1
    again, _ = optimal.folds(ids[::-1], inside[::-1])
    assert (again[::-1] == first).all()
    assert (optimal.folds(ids, inside, 1)[0] != first).any()


def made(member: Ints) -> Bins:
    rows = [(s, f"p{p}", 0.0, int(member[p, s])) for p in range(len(member)) for s in range(member.shape[1])]
    table = pd.DataFrame(rows, columns=["seed", "problem_id", "value", "bin"])
    return Bins(Estimates("oracle", 8, table, 0.0, 0.0), table, ())


def test_a_bin_too_small_for_two_folds_is_named() -> None:
    member = np.array([1] * 9 + [2] * 3)[:, None]
    with pytest.raises(RecordsError, match=r"bin 2 \(oracle\) holds 3 of 12 problems, fewer than the 4 .* fewer bins"):
        optimal.members(grid(np.ones((12, 1, 3))), made(member))
    member[8] = 2
    assert (optimal.members(grid(np.ones((12, 1, 3))), made(member)) == member).all()


def test_cells_are_means_over_the_problems_of_a_bin() -> None:
    correct = np.zeros((8, 2, 3))
    correct[:4, 0, 1], correct[4:, :, 2] = 1.0, 1.0
    member = np.repeat([[1, 2], [2, 2]], 4, axis=0)  # the first four are easy in one seed and hard in the other
    table = optimal.cells(grid(correct), member).set_index(["bin", "method"])
    assert table.loc[(1, "weighted"), ["accuracy", "n_problems", "chosen"]].tolist() == [1.0, 4, True]
    assert table.loc[(2, "beam_search"), ["accuracy", "n_problems", "chosen"]].tolist() == [0.5, 8, True]
    assert table["chosen"].sum() == 2


def test_the_chosen_method_is_the_one_with_the_highest_accuracy_shown() -> None:
    """Also where a problem is in a bin in one seed only."""
    rng = np.random.default_rng(3)
    for _ in range(50):
        one = grid(rng.integers(0, 2, size=(12, 2, 3)).astype(np.float64))
        for _, rows in optimal.cells(one, rng.integers(1, 3, size=(12, 2))).groupby("bin"):
            assert rows.loc[rows["chosen"], "accuracy"].item() == pytest.approx(rows["accuracy"].max())


BEAM = {
    "_target_": "ttcs.strategies.beam_search.BeamSearch",
    "n": 4,
    "width": 4,
    "max_steps": 40,
    "rank": {"_target_": "ttcs.choice.reduction.last", "_partial_": True},
}
BEST = {"_target_": "ttcs.strategies.best_of_n.BestOfN", "n": 16}


def name(file: Path, width: int = 4) -> None:
    """Give a made run the strategy and the models that a real one has in its configuration."""
    config = OmegaConf.load(file)
    config.strategy = {**BEAM, "width": width} if "beam" in config.strategy._target_ else BEST
    for model in ("policy", "prm", "dataset"):
        config[model] = {"model": "tiny"}
    OmegaConf.save(config, file)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sweep")
    for seed in (0, 1):
        folders = [write(root / f"bon{seed}", simulated(24, 16, seed), n=16, seed=seed)]
        for n in (4, 16):
            runs = simulated(24, n, 7 + seed, skill=2.0)
            folders.append(write(root / f"beam{n}-{seed}", runs, strategy="beam_search", n=n, seed=seed, width=4))
        for folder in folders:
            name(folder / "config.yaml")
    write(root / "greedy", simulated(24, 1, 5), strategy="greedy", n=16)
    return root


FIGURE = ComputeOptimal(
    "co",
    None,
    ["greedy", "majority", "weighted", "beam_search"],
    ["oracle", "predicted"],
    2,
    4,
    False,
    True,
    "weighted",
)


def test_grids_hold_the_candidates_over_common_seeds(sweep: Path) -> None:
    estimates = evaluate.evaluate(load(sweep))
    found = {one.n: one for one in optimal.grids(estimates, ["weighted", "beam_search", "greedy"])}
    run = [("greedy", 1), ("weighted", 1), ("weighted", 2), ("weighted", 4), ("beam_search", 4), ("weighted", 8),
           ("weighted", 16), ("beam_search", 16)]  # fmt: skip
    assert {n: set(zip(one.methods, one.sizes, strict=True)) for n, one in found.items()} == {
        n: {(method, size) for method, size in run if size <= n} for n in (1, 2, 4, 8, 16)
    }
    assert found[1].seeds == (0, 1)  # greedy, run once, is the same in every seed
    assert found[16].correct.shape == (24, 2, 8) and np.isfinite(found[16].correct).all()
    k = found[16].place("beam_search")
    assert found[8].place("beam_search") is None
    runs = load(sweep).problems.query("run in ('beam16-0', 'beam16-1')")
    assert found[16].correct[:, :, k].mean() == pytest.approx(runs["correct"].astype(float).mean())
    with pytest.raises(RecordsError, match="no run of dvts"):
        optimal.grids(estimates, ["dvts"])


def test_the_figure_draws_both_kinds_of_bins_and_what_the_estimate_costs(sweep: Path, tmp_path: Path) -> None:
    outputs = {output.name: output for output in FIGURE.panels(load(sweep))}
    names = [f"co_{what}" for what in ("vs_n", "vs_tokens", "vs_flops", "gain", "choice_oracle", "choice_predicted")]
    assert list(outputs) == [*names, "co"]
    for output in outputs.values():
        output.save(tmp_path, ["png"])
    table = pd.read_csv(tmp_path / "co_vs_tokens.csv")
    charged = table[table["method"] == "compute_optimal (predicted, estimate charged)"].set_index("n")["tokens"]
    plain = table[table["method"] == "compute_optimal (predicted)"].set_index("n")["tokens"]
    assert (charged - plain).to_numpy() == pytest.approx(40.0)  # 4 samples of 10 tokens
    fair = table[table["method"] == "compute_optimal (oracle)"].set_index("n")["accuracy"]
    biased = table[table["method"] == "compute_optimal (oracle, in-sample)"].set_index("n")["accuracy"]
    assert (biased >= fair - 1e-12).all()
    gain = pd.read_csv(tmp_path / "co_gain.csv")
    assert set(gain["versus"]) == {"best fixed method", "weighted best-of-N"}
    assert (gain["low"] <= gain["high"]).all()


def test_the_fitted_table_is_read_back_as_strategies(sweep: Path, tmp_path: Path) -> None:
    output = FIGURE.panels(load(sweep))[-1]
    (file,) = output.save(tmp_path, ["png"])
    content = json.loads(file.read_text())
    assert (content["policy"], content["selection"], content["samples"]) == ("tiny", "weighted", 4)
    assert [row["at_least"] is None for row in content["bins"]] == [False, True]
    assert content["provenance"]["problems"] == 24 and content["provenance"]["seeds"] == [0, 1]
    table = load_table(str(file), "tiny", "tiny")
    for row, bin_ in zip(content["bins"], (1, 2), strict=True):
        for cell in (cell for cell in content["cells"] if cell["bin"] == bin_ and cell["size"] > 1):
            strategy = table.choose(1.0 if row["at_least"] is not None else 0.0, cell["n"])
            kinds = {"weighted": BestOfN, "beam_search": BeamSearch}
            assert type(strategy) is kinds[cell["method"]] and strategy.n == cell["size"] <= cell["n"]


@pytest.fixture(scope="module")
def rooted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Best-of-N, and a beam search as wide as the square root of n that is better."""
    root = tmp_path_factory.mktemp("rooted")
    for seed in (0, 1):
        name(write(root / f"bon{seed}", simulated(24, 64, seed), n=64, seed=seed) / "config.yaml")
        for n, width in ((4, 2), (16, 4), (64, 8)):
            runs = simulated(24, n, 7 + seed, skill=9.0)
            folder = write(root / f"beam{n}-{seed}", runs, strategy="beam_search", n=n, seed=seed, width=width)
            name(folder / "config.yaml", width)
    return root


def test_a_width_that_is_the_root_of_n_is_that_of_every_n(rooted: Path, tmp_path: Path) -> None:
    output = FIGURE.panels(load(rooted))[-1]
    (file,) = output.save(tmp_path, [])
    table = load_table(str(file))
    cell = replace(table.bins[-1].cell(64), size=64)
    assert [cell.strategy(n) for n in (4, 16, 64, 12, 60)] == [
        BeamSearch(n, width, 40, reduction.last) for n, width in ((4, 2), (16, 4), (64, 8), (12, 3), (56, 7))
    ]


def test_no_curve_falls_where_a_method_was_not_run(rooted: Path) -> None:
    """Beam search was run at 4, 16 and 64 alone, and a budget of 8 may be spent on the 4 that it is better with."""
    figure = {output.name: output for output in FIGURE.panels(load(rooted))}
    table = figure["co_vs_n"].table  # type: ignore[attr-defined]
    lines = {name: rows.sort_values("n").set_index("n")["accuracy"] for name, rows in table.groupby("method")}
    assert lines["weighted"][8] < lines["beam_search"][4]
    for kind in ("oracle", "predicted"):
        chosen = lines[f"compute_optimal ({kind}, in-sample)"]
        assert list(chosen.index) == [1, 2, 4, 8, 16, 32, 64]
        assert chosen.diff().min() > -1e-9  # sums in another order differ in the last digit
        fair = lines[f"compute_optimal ({kind})"]
        assert fair[8] > lines["weighted"][8] + 0.02 and fair[32] > lines["weighted"][32] + 0.02
    gain = figure["co_gain"].table.set_index(["method", "versus", "n"])["gain"]  # type: ignore[attr-defined]
    assert gain["compute_optimal (oracle)", "weighted best-of-N", 8] == pytest.approx(
        lines["compute_optimal (oracle)"][8] - lines["weighted"][8]
    )


def test_the_choices_say_with_how_many_the_method_is_run(rooted: Path) -> None:
    output = {output.name: output for output in FIGURE.panels(load(rooted))}["co_choice_oracle"]
    best = output.table[output.table["chosen"]].set_index(["bin", "n"])  # type: ignore[attr-defined]
    assert best.loc[(2, 8), ["method", "size"]].tolist() == ["beam_search", 4]
    ax = output.draw(Canvas().add_subplot(), output.table)  # type: ignore[attr-defined]
    assert sum("with 4" in text.get_text() for text in ax.texts) >= 1


@pytest.fixture(scope="module")
def ahead(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Best-of-N of 16 and a better lookahead at 4, which pays a generation of lookahead for each of its own."""
    root = tmp_path_factory.mktemp("ahead")
    for seed in (0, 1):
        name(write(root / f"bon{seed}", simulated(24, 16, seed), n=16, seed=seed) / "config.yaml")
        rows = simulated(24, 4, 7 + seed, skill=9.0)
        for row in rows:
            row["ledger"] |= {"generations": 24, "lookahead_generations": 12, "decoded_tokens": 72, "prm_flops": 90000}
        name(write(root / f"look{seed}", rows, strategy="lookahead", n=4, seed=seed, width=4) / "config.yaml")
    return root


@pytest.mark.parametrize(
    ("match", "first"), [("n", 4), ("generations", 8), ("tokens", 8), ("flops", None)]
)  # 72 tokens are those of 7.2 samples, and its FLOPs those of 63
def test_a_dearer_method_competes_where_as_many_samples_cost_as_much(
    ahead: Path, match: str, first: int | None
) -> None:
    estimates = evaluate.evaluate(load(ahead))
    assert set(estimates[estimates["strategy"] == "lookahead"]["generations"]) == {8.0}
    found = optimal.grids(estimates, ["weighted", "lookahead"], match)
    assert [one.n for one in found if "lookahead" in one.methods] == [n for n in (4, 8, 16) if first and n >= first]
    assert [set(one.methods) - {"lookahead"} for one in found] == [{"weighted"}] * 5


def test_what_is_never_affordable_leaves_no_grid(ahead: Path) -> None:
    estimates = evaluate.evaluate(load(ahead))
    with pytest.raises(RecordsError, match="no method is within the flops of as many independent samples"):
        optimal.grids(estimates, ["lookahead"], "flops")
    with pytest.raises(RecordsError, match="match=joules: there are n, generations, tokens, flops"):
        optimal.grids(estimates, None, "joules")


def test_the_fitted_table_has_the_accuracy_of_what_costs_more_where_it_becomes_a_candidate(ahead: Path) -> None:
    content = FIGURE.panels(load(ahead))[-1].content  # type: ignore[attr-defined]
    there = {cell["n"]: set(cell["accuracy"]) for cell in content["cells"] if cell["bin"] == 1}
    assert [n for n, names in there.items() if "lookahead" in names] == [8]
    hard = {cell["n"]: (cell["method"], cell["size"]) for cell in content["cells"] if cell["bin"] == 2}
    assert hard[4] == ("weighted", 4) and hard[8] == ("lookahead", 4)


def test_axes_without_numbers_are_left_out(sweep: Path) -> None:
    records = load(sweep)
    bare = Records(records.runs, records.problems.drop(columns=["policy_flops", "prm_flops"]), records.candidates)
    with pytest.warns(UserWarning, match="no co_vs_flops: these records have no FLOPs"):
        names = [output.name for output in FIGURE.panels(bare)]
    assert "co_vs_tokens" in names and "co_vs_flops" not in names


def test_what_is_reported_of_problems_adds_up_to_the_curve() -> None:
    rng = np.random.default_rng(2)
    one = grid(rng.integers(0, 2, size=(30, 2, 3)).astype(np.float64))
    member = rng.integers(1, 3, size=(30, 2))
    found = optimal.reported(one, member)
    assert found.mean(axis=(1, 2)) == pytest.approx(optimal.outcome(one, member, drawn(30))[0])


def test_no_table_where_candidates_end_with_different_selections(sweep: Path) -> None:
    figure = ComputeOptimal("co", ["majority", "weighted"], [], ["predicted"], 2, 4, False, False, "weighted")
    assert "co" not in [output.name for output in figure.panels(load(sweep))]


def test_without_a_candidate_it_says_so(sweep: Path) -> None:
    figure = ComputeOptimal("co", None, [], ["oracle"], 2, None, False, False, selection="unheard_of")
    with pytest.raises(RecordsError, match="no method to choose from"):
        figure.panels(load(sweep / "bon0"))


def test_too_many_bins_is_one_line(sweep: Path) -> None:
    figure = ComputeOptimal("co", None, [], ["predicted"], 12, None, False, False, "weighted")
    with pytest.raises(RecordsError, match="fewer than the 4 that two folds need"):
        figure.panels(load(sweep))
