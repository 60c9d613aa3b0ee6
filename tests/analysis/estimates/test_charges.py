"""A derived run is charged what it would have computed: what several solutions share is read once."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.estimates import bins, evaluate
from analysis.runs.load import load
from tests.analysis.folders import Made, problem, write
from ttcs.records import charges
from ttcs.records.charges import Shared, Spent

# Four solutions of 10 tokens to a problem of 5, three of them the same: with a cache 5 + 10 + 6 of 60 tokens are read.
PATHS = (((0, 4), (1, 6)),) * 3 + (((0, 4), (2, 6)),)
SHARED = Shared.of(4, range(4), PATHS)
SPENT = Spent(
    prompt_tokens=20,
    cached_tokens=15,
    policy_calls=4,
    decoded_tokens=40,
    prm_tokens=21,
    prm_cached_tokens=39,
    prm_calls=4,
)

paths = st.lists(st.lists(st.sampled_from("ab"), min_size=1, max_size=3), min_size=1, max_size=7)


@given(paths, st.integers(1, 7))
@settings(max_examples=80, deadline=None)
def test_what_a_subset_reads_is_the_mean_over_all_subsets(texts: list[list[str]], k: int) -> None:
    k = min(k, len(texts))
    beginnings = [["".join(text[: i + 1]) for i in range(len(text))] for text in texts]
    numbers: dict[str, int] = {}
    made = [tuple((numbers.setdefault(one, len(numbers)), len(one)) for one in several) for several in beginnings]
    found = Shared.of(len(texts), range(len(texts)), made).read(k)
    read = [sum(len(one) for one in set().union(*several)) for several in combinations(beginnings, k)]
    assert found == pytest.approx(float(np.mean(read)))


def test_a_verifier_with_a_cache_reads_the_problem_and_what_is_shared_once() -> None:
    # Of the pairs half are of the same solution (15 tokens), half are not (21).
    assert [charges.prm_share(SPENT, SHARED, SHARED, k, k / 4) for k in (1, 2, 4)] == pytest.approx(
        [15 / 21, 18 / 21, 1.0]
    )


def test_without_a_cache_every_solution_is_read_anew() -> None:
    plain = replace(SPENT, prm_tokens=60, prm_cached_tokens=0)
    assert [charges.prm_share(plain, SHARED, SHARED, k, k / 4) for k in (1, 2, 4)] == pytest.approx([0.25, 0.5, 1.0])


def test_a_cache_that_misses_half_is_in_between() -> None:
    half = replace(SPENT, prm_tokens=40.5, prm_cached_tokens=19.5)
    found = charges.prm_share(half, SHARED, SHARED, 2, 0.5)
    assert found == pytest.approx((30 + 18) / (60 + 21))


def test_records_that_do_not_say_what_was_cached_are_shared_out_by_tokens() -> None:
    unknown = Spent.of({"prm_tokens": 60, "decoded_tokens": 40})
    assert charges.prm_share(unknown, SHARED, SHARED, 2, 0.5) == charges.policy_share(unknown, 0.5) == 0.5


def test_the_prompt_of_samples_is_read_as_often_as_it_was() -> None:
    assert charges.policy_share(SPENT, 0.25) == pytest.approx((5 + 10) / 45)
    assert charges.policy_share(replace(SPENT, cached_tokens=0), 0.25) == pytest.approx((5 + 15 / 4 + 10) / 60)


def sampled(strategy: str, n: int, width: int | None = None) -> list[dict[str, Any]]:
    """Problems of a policy with four solutions, read by a verifier with a cache."""
    rows = []
    for number in range(6):
        rng = np.random.default_rng((number, n))
        kinds = rng.choice(4, size=n, p=[0.6, 0.2, 0.1, 0.1])
        made = [
            Made(int(kind), 0.5, bool(kind == 0), None if width is None else i // width) for i, kind in enumerate(kinds)
        ]
        row = problem(f"p{number}", made, True)
        for node, kind in zip(row["tree"][1::2], kinds, strict=True):
            node["text"] = f"end {kind}"
        computed = 5 + 4 + 6 * len(set(kinds))
        row["ledger"] |= {"prm_calls": n, "policy_calls": n, "prompt_tokens": 5 * n, "cached_tokens": 5 * n - 5,
                          "prm_tokens": computed, "prm_cached_tokens": 15 * n - computed,
                          "policy_flops": 100 * (5 + 10 * n), "prm_flops": 100 * computed}  # fmt: skip
        rows.append(row)
    return rows


def test_a_smaller_run_costs_what_it_costs_when_it_is_run(tmp_path: Path) -> None:
    """Not k / n: at 4 of 64 that would be 4 x 12.5 + 4 x 10.5 tokens."""
    write(tmp_path / "large", sampled("best_of_n", 64), n=64)
    found = evaluate.summary(evaluate.evaluate(load(tmp_path))).set_index(["method", "n"])["flops"]
    assert found["majority", 1] == pytest.approx(100 * 15)
    assert found["majority", 4] == pytest.approx(100 * 45)
    small = np.mean([row["ledger"]["prm_flops"] for seed in range(40) for row in _drawn(seed)])
    assert found["weighted", 4] - found["majority", 4] == pytest.approx(small, rel=0.05)
    assert found["weighted", 64] == pytest.approx(np.mean([_flops(row) for row in sampled("best_of_n", 64)]))


def _drawn(seed: int) -> list[dict[str, Any]]:
    rows = []
    for number in range(6):
        kinds = np.random.default_rng((number, 64)).choice(4, size=64, p=[0.6, 0.2, 0.1, 0.1])
        four = np.random.default_rng((seed, number)).choice(kinds, size=4, replace=False)
        rows.append({"ledger": {"prm_flops": 100 * (5 + 4 + 6 * len(set(four)))}})
    return rows


def _flops(row: dict[str, Any]) -> float:
    return float(row["ledger"]["policy_flops"] + row["ledger"]["prm_flops"])


def test_subtrees_share_too(tmp_path: Path) -> None:
    write(tmp_path / "dvts", sampled("dvts", 16, 4), strategy="dvts", n=16, width=4)
    found = evaluate.summary(evaluate.evaluate(load(tmp_path))).set_index("n")
    whole = np.mean([row["ledger"]["prm_flops"] for row in sampled("dvts", 16, 4)])
    policy = np.mean([row["ledger"]["policy_flops"] for row in sampled("dvts", 16, 4)])
    prm = found["flops"] - policy * found.index / 16
    assert prm[16] == pytest.approx(whole)
    assert 0.5 * whole < prm[4] < prm[8] < whole


def test_chains_share_too(tmp_path: Path) -> None:
    rows = sampled("revisions", 16, 4)
    write(tmp_path / "chains", rows, strategy="revisions", n=16, settings={"chains": 4})
    found = evaluate.evaluate(load(tmp_path)).groupby("n")["flops"].mean()
    whole = np.mean([row["ledger"]["prm_flops"] for row in rows])
    policy = np.mean([row["ledger"]["policy_flops"] for row in rows])
    assert found[16] == pytest.approx(policy + whole)
    first = np.mean([100 * (5 + 4 + 6 * len({node["text"] for node in row["tree"][1::8]})) for row in rows])
    assert found[4] - policy / 4 == pytest.approx(first)  # the first attempts of all four chains


def test_an_estimate_of_difficulty_is_charged_what_its_samples_would_cost(tmp_path: Path) -> None:
    for seed in (0, 1):
        write(tmp_path / f"s{seed}", sampled("best_of_n", 64), n=64, seed=seed)
    found = bins.estimates(load(tmp_path), [f"p{i}" for i in range(6)], [0, 1], "predicted", samples=4)
    assert found.tokens == pytest.approx(40)
    whole = evaluate.summary(evaluate.evaluate(load(tmp_path))).set_index(["method", "n"])["flops"]
    assert found.flops == pytest.approx(whole["weighted", 4])
