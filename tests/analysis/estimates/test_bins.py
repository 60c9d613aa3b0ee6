"""Difficulty from records: which samples it comes from, how it is cut, what it costs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.estimates.bins import bins, estimates
from analysis.runs.load import Records, RecordsError, load
from tests.analysis.folders import Made, problem, write

IDS = [f"p{number:03}" for number in range(20)]


def pool(right: int, score: float, n: int = 8) -> list[Made]:
    """Samples of which the first `right` are correct; score: of each."""
    return [Made(0 if i < right else 1, score, i < right) for i in range(n)]


def pools(root: Path, seeds: dict[int, list[tuple[int, float]]], n: int = 8) -> Records:
    """Seed -> for each problem the number of right samples and the score of all of them."""
    for seed, rows in seeds.items():
        made = [problem(id, pool(*row, n)) for id, row in zip(IDS, rows, strict=False)]
        write(root / f"bon{seed}", made, n=n, seed=seed)
    return load(root)


def test_the_runs_of_a_seed_get_their_values_from_the_other_seed(tmp_path: Path) -> None:
    records = pools(tmp_path, {0: [(8, 0.9), (0, 0.1)], 1: [(2, 0.3), (4, 0.5)]})
    table = estimates(records, IDS[:2], [0, 1], "oracle").table.set_index(["seed", "problem_id"])["value"]
    assert table.to_dict() == {(0, "p000"): 0.25, (0, "p001"): 0.5, (1, "p000"): 1.0, (1, "p001"): 0.0}
    predicted = estimates(records, IDS[:2], [0, 7], "predicted").table.set_index(["seed", "problem_id"])["value"]
    assert predicted[(0, "p000")] == pytest.approx(0.3)
    assert predicted[(7, "p000")] == pytest.approx(0.6)  # a seed without a pool of its own: all there are


def test_own_samples_have_to_be_asked_for(tmp_path: Path) -> None:
    records = pools(tmp_path, {0: [(8, 0.9), (0, 0.1)]})
    with pytest.raises(RecordsError, match=r"seed 0 have to come from best-of-N runs of other seeds, .*own=true"):
        bins(records, IDS[:2], [0], "oracle")
    assert list(bins(records, IDS[:2], [0], "oracle", 2, own=True).table["bin"]) == [1, 2]


def test_the_first_samples_start_with_the_next_seed(tmp_path: Path) -> None:
    records = pools(tmp_path, {0: [(2, 0.1)], 1: [(4, 0.2)], 2: [(0, 0.4)]})
    found = [estimates(records, IDS[:1], [1], "predicted", samples).table["value"][0] for samples in (4, 8, 12, None)]
    assert found == pytest.approx([0.4, 0.4, (8 * 0.4 + 4 * 0.1) / 12, 0.25])
    assert estimates(records, IDS[:1], [0], "oracle", samples=4).table["value"][0] == 1.0
    with pytest.raises(RecordsError, match="samples=17 is not one of 1 to 16"):
        estimates(records, IDS[:1], [1], "oracle", samples=17)


def test_only_the_largest_pool_of_a_seed_counts(tmp_path: Path) -> None:
    pools(tmp_path, {0: [(8, 0.9)], 1: [(8, 0.9)]})
    write(tmp_path / "small", [problem("p000", pool(0, 0.1, 4))], n=4, seed=1)
    assert estimates(load(tmp_path), IDS[:1], [0], "oracle").table["value"][0] == 1.0


def test_the_final_score_is_that_of_the_last_step_and_a_sample_without_one_is_left_out(tmp_path: Path) -> None:
    made = [[Made(0, 0.8), Made(None), Made(0, 0.4), Made(0, 0.4)], [Made(None)] * 4]
    for seed in (0, 1):
        write(tmp_path / f"{seed}", [problem(id, row) for id, row in zip(IDS, made, strict=False)], n=4, seed=seed)
    records = load(tmp_path)
    # Unscored second steps leave the first one's 0.5 as the last score of a sample that was cut off.
    scores = estimates(records, IDS[:2], [0], "predicted").table["value"]
    assert scores[0] == pytest.approx((0.8 + 0.5 + 0.4 + 0.4) / 4)
    assert scores[1] == pytest.approx(0.5)


def test_ties_at_a_threshold_share_the_easier_bin(tmp_path: Path) -> None:
    rights = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 8]
    records = pools(tmp_path, {seed: [(right, 0.5) for right in rights] for seed in (0, 1)})
    found = bins(records, IDS, [0, 1], "oracle", 5)
    counts = found.table["bin"].value_counts().to_dict()
    assert counts == {1: 8, 2: 8, 3: 24}  # half of all fail throughout: bins 4 and 5 stay empty
    assert found.thresholds[:2] == (0.0, 0.0)


def test_the_levels_are_bins(tmp_path: Path) -> None:
    made = [problem(id, pool(1, 0.5), level=level) for id, level in zip(IDS, (3, 1, 2), strict=False)]
    write(tmp_path / "bon", made, n=8)
    found = bins(load(tmp_path), IDS[:3], [0], "annotated")
    assert list(found.table["bin"]) == [3, 1, 2] and found.estimates.tokens == 0.0
    with pytest.raises(RecordsError, match="problem p003 has no level"):
        bins(load(tmp_path), IDS[:4], [0], "annotated")


def test_the_cost_is_that_of_the_samples_used_and_of_the_prm_only_if_it_was(tmp_path: Path) -> None:
    records = pools(tmp_path, {seed: [(4, 0.5)] * 3 for seed in (0, 1, 2)})
    oracle, predicted = (estimates(records, IDS[:3], [0, 1], kind, 4) for kind in ("oracle", "predicted"))
    assert (oracle.samples, oracle.tokens, oracle.flops) == (4, 40.0, 4000.0)
    assert (predicted.tokens, predicted.flops) == (40.0, 6000.0)
    assert estimates(records, IDS[:3], [0], "oracle").tokens == 160.0


def test_a_pool_of_somebody_else_has_no_costs(tmp_path: Path) -> None:
    made = [
        problem(id, pool(right, 0.5)) | {"ledger": {"generations": 8}} for id, right in zip(IDS, (8, 0), strict=False)
    ]
    for seed in (0, 1):
        write(tmp_path / f"bon{seed}", made, n=8, seed=seed)
    found = estimates(load(tmp_path), IDS[:2], [0, 1], "oracle")
    assert list(found.table["value"]) == [1.0, 0.0] * 2
    assert np.isnan([found.tokens, found.flops]).all()


def test_bins_from_the_evaluated_samples_flatter_best_of_n_and_those_of_another_seed_do_not(tmp_path: Path) -> None:
    """All problems are alike: what the pool of one seed did says nothing about that of another."""
    rng = np.random.default_rng(0)
    rights = rng.binomial(8, 0.5, size=(2, len(IDS)))
    records = pools(tmp_path, {seed: [(int(right), 0.5) for right in rights[seed]] for seed in (0, 1)})
    mean = {}
    for own in (False, True):
        table = bins(records, IDS, [0, 1], "oracle", 2, own=own).table
        easy = table[table["bin"] == 1]
        mean[own] = np.mean(
            [rights[seed][IDS.index(id)] / 8 for seed, id in zip(easy["seed"], easy["problem_id"], strict=True)]
        )
    assert mean[True] - rights.mean() / 8 > 0.08
    assert abs(mean[False] - rights.mean() / 8) < 0.04


def test_unknown_kinds_are_named(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="unknown difficulty 'guessed': one of oracle, predicted, annotated"):
        bins(pools(tmp_path, {0: [(1, 0.5)]}), IDS[:1], [0], "guessed")
