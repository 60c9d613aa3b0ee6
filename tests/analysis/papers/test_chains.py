"""Smaller grids of chains and attempts, against every subset decided on by the selections of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from analysis.estimates import evaluate
from analysis.papers import chains
from analysis.runs.load import Records, RecordsError, load
from tests.analysis.folders import Made, problem, write
from ttcs.choice.selection import Best, Hierarchical, Majority, Weighted
from ttcs.core import Candidate

SELECTIONS: dict[str, Callable[[Sequence[Candidate]], int | None]] = {
    "majority": Majority(),
    "best": Best(),
    "weighted": Weighted(),
    "hierarchical": Hierarchical(),
}
CHAINS, ATTEMPTS = 4, 4


def drawn(number: int, early: bool) -> list[list[Made]]:
    """Chains of attempts, some without an answer; early: some chains end before the others."""
    rng = np.random.default_rng((number, early))
    lengths = rng.integers(1, ATTEMPTS + 1, CHAINS) if early else [ATTEMPTS] * CHAINS
    return [
        [
            Made(None if rng.random() < 0.15 else int(rng.integers(3)), float(rng.random()), subtree=i)
            for _ in range(size)
        ]
        for i, size in enumerate(lengths)
    ]


def run(folder: Path, early: bool = False, **named: str) -> tuple[Records, list[list[list[Made]]]]:
    """A run of 6 problems. The answer of group 0 is the right one."""
    made = [drawn(number, early) for number in range(6)]
    right = [[[Made(m.group, m.score, m.group == 0, m.subtree) for m in chain] for chain in one] for one in made]
    rows = [problem(f"p{i}", [m for chain in one for m in chain], True) for i, one in enumerate(right)]
    settings = {"chains": CHAINS, "window": 4}
    write(folder, rows, strategy="revisions", n=CHAINS * ATTEMPTS, settings=settings, selection="hierarchical", **named)
    return load(folder), right


def decided(kind: str, grid: list[list[Made]], count: int, attempts: int) -> float:
    """The share of all subsets of `count` chains on whose first attempts the selection is right."""
    hits = []
    for subset in combinations(grid, count):
        members = [made for chain in subset for made in chain[:attempts]]
        chosen = SELECTIONS[kind]([Candidate(m.group, m.score or 0.0, m.subtree) for m in members])
        hits.append(chosen is not None and members[chosen].correct)
    return float(np.mean(hits))


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("kind", SELECTIONS)
def test_every_grid_is_the_mean_over_its_subsets(tmp_path: Path, kind: str, early: bool) -> None:
    records, grids = run(tmp_path / "run", early)
    table = chains.grid(records).set_index(["problem_id", "selection", "chains", "attempts"])["correct"]
    for i, grid in enumerate(grids):
        for count, attempts in ((1, 1), (1, 4), (2, 2), (4, 1), (4, 2), (4, 4)):
            expected = decided(kind, grid, count, attempts)
            assert table[f"p{i}", kind, count, attempts] == pytest.approx(expected), (i, count, attempts)


def test_pass_is_any_right_answer(tmp_path: Path) -> None:
    records, grids = run(tmp_path / "run")
    table = chains.grid(records, [(2, 2)]).query("selection == 'pass'").set_index("problem_id")["correct"]
    for i, grid in enumerate(grids):
        any_right = [any(made.correct for chain in pair for made in chain[:2]) for pair in combinations(grid, 2)]
        assert table[f"p{i}"] == pytest.approx(np.mean(any_right))


def test_flat_and_hierarchical_differ(tmp_path: Path) -> None:
    """Three chains agree on a low-scored wrong answer within; the right one has the highest single score."""
    wrong = [[Made(1, 0.4, False, i), Made(1, 0.4, False, i)] for i in range(3)]
    flat = [made for chain in [*wrong, [Made(0, 0.9, True, 3), Made(0, 0.95, True, 3)]] for made in chain]
    write(tmp_path, [problem("p", flat, True)], strategy="revisions", n=8, settings={"chains": 4})
    table = chains.grid(load(tmp_path), [(4, 2)]).set_index("selection")["correct"]
    assert (table["weighted"], table["hierarchical"], table["best"]) == (0.0, 0.0, 1.0)
    pair = [Made(1, 0.5, False, 0), Made(1, 0.45, False, 0), Made(0, 0.6, True, 1), Made(2, 0.2, False, 1)]
    write(tmp_path / "two", [problem("p", pair, True)], strategy="revisions", n=4, settings={"chains": 2})
    two = chains.grid(load(tmp_path / "two"), [(2, 2)]).set_index("selection")["correct"]
    assert (two["weighted"], two["hierarchical"]) == (0.0, 1.0)


def test_costs_are_shared_out_by_tokens(tmp_path: Path) -> None:
    """Later attempts are longer here: 10, 30 tokens in each of two chains."""
    row = problem("p", [Made(0, 0.5, True, i // 2) for i in range(4)], True)
    for place, candidate in enumerate(row["candidates"]):
        candidate["tokens"] = (10, 30)[place % 2]
    write(tmp_path, [row], strategy="revisions", n=4, settings={"chains": 2})
    shares = chains.grid(load(tmp_path)).query("selection == 'majority'").set_index(["chains", "attempts"])["share"]
    assert dict(shares) == pytest.approx({(1, 1): 1 / 8, (1, 2): 1 / 2, (2, 1): 1 / 4, (2, 2): 1.0})


def test_chains_that_ended_early_cost_what_they_drew(tmp_path: Path) -> None:
    made = [Made(0, 0.9, True, 0), *[Made(0, 0.5, True, 1)] * 3]
    write(tmp_path, [problem("p", made, True)], strategy="revisions", n=8, settings={"chains": 2})
    shares = chains.grid(load(tmp_path)).query("selection == 'majority'").set_index(["chains", "attempts"])["share"]
    assert shares[2, 1] == pytest.approx(2 / 4) and shares[2, 4] == 1.0 and shares[1, 4] == 0.5


def test_chains_of_one_attempt_are_independent_samples(tmp_path: Path) -> None:
    rows = [problem("p", [Made(i % 2, 0.5, i % 2 == 0, i) for i in range(4)], True)]
    write(tmp_path, rows, strategy="revisions", n=4, settings={"chains": 4})
    records = load(tmp_path)
    assert list(records.runs["strategy"]) == ["best_of_n"]
    table = evaluate.evaluate(records)
    assert set(table["method"]) == {"majority", "best", "weighted", "pass"} and set(table["n"]) == {1, 2, 4}


def test_a_curve_over_n_has_as_many_chains_of_fewer_attempts(tmp_path: Path) -> None:
    records, grids = run(tmp_path / "run")
    table = evaluate.evaluate(records).set_index(["method", "n", "problem_id"])["correct"]
    assert set(table.index.get_level_values("n")) == {4, 8, 16}
    for i, grid in enumerate(grids):
        assert table["revisions/hierarchical", 8, f"p{i}"] == decided("hierarchical", grid, 4, 2)


def test_what_a_run_does_not_hold(tmp_path: Path) -> None:
    records, _ = run(tmp_path / "run")
    with pytest.raises(RecordsError, match=r"4 chains of 4 attempts do not hold \(8, 1\)"):
        chains.grid(records, [(8, 1)])
    write(tmp_path / "beam", [problem("p", [Made(0)])], strategy="beam_search", n=4)
    with pytest.raises(RecordsError, match="a run without chains of attempts"):
        chains.grid(load(tmp_path / "beam"))


def test_a_budget_ends_chains_anywhere(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run(folder)
    with (folder / "config.yaml").open("a") as config:
        config.write("budget:\n  tokens: 100\n")
    with pytest.raises(RecordsError, match="or one that ended on its budget"):
        chains.grid(load(folder))
    assert set(evaluate.evaluate(load(folder))["n"]) == {16}
