"""Decisions on recorded candidates against the runs that would have made them, on the scripted pair."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from analysis.estimates import estimate, evaluate
from analysis.papers import chains
from analysis.runs.load import load
from ttcs import __main__ as command
from ttcs.choice.optimal import SCHEMA
from ttcs.config import components
from ttcs.config.given import given
from ttcs.core import Candidate
from ttcs.records import subsets
from ttcs.records.reading import Reading
from ttcs.records.record import Record, read
from ttcs.records.stored import Stored
from ttcs.replay import _method, main

Start = Callable[..., Path]
BASE = ["policy=scripted", "prm=scripted", "dataset=jsonl", "dataset.path=p.jsonl", "dataset.columns.level=level"]
HARD = ["policy.accuracy=[0.8,0.7,0.6,0.5,0.4]", "prm.quality=0.4"]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Runs `python -m ttcs` in the folder named first."""
    monkeypatch.chdir(tmp_path)
    components.forget()
    rows = [{"id": f"p{i}", "question": f"{i} + 1?", "answer": str(i + 1), "level": i % 5 + 1} for i in range(30)]
    Path("p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def run(folder: str, *overrides: str) -> Path:
        monkeypatch.setattr(sys, "argv", ["ttcs", *BASE, *HARD, f"hydra.run.dir={folder}", *overrides])
        command.main()
        return Path(folder)

    return run


def records(folder: Path) -> list[Record]:
    return sorted(read(folder / "records.jsonl"), key=lambda record: record.problem_id)


def replayed(folder: Path, *overrides: str) -> dict[str, Any]:
    main([str(folder), *overrides])
    newest = max(folder.glob("replay/*/*.json"), key=lambda path: path.stat().st_mtime_ns)
    result: dict[str, Any] = json.loads(newest.read_text())
    return result


def decisions(folder: Path, *overrides: str) -> list[tuple[int | None, float | None]]:
    """What a replay at the run's own n chooses, in the order of the problems."""
    run = Stored.of(folder)
    (point,) = given(overrides, ("selection", "reduction"))
    size = run.config["strategy"].get("n", 1)
    reading = Reading.of(run, _method(run, point), size)
    verdicts = [reading.verdict(record) for record in records(folder)]
    return [(verdict.chosen, verdict.correct) for verdict in verdicts]


class Worst:
    """A selection of somebody else's: the candidate with the lowest score."""

    reads_scores: ClassVar[bool] = True

    def __call__(self, candidates: Sequence[Candidate]) -> int | None:
        able = [i for i, candidate in enumerate(candidates) if candidate.answer is not None]
        return min(able, key=lambda i: candidates[i].score, default=None)


@pytest.mark.parametrize("overrides", [("selection=majority",), ("selection=best", "reduction=min"),
                                       ("reduction=prod",), ("selection=weighted", "reduction=mean"),
                                       ("selection=best", f"selection._target_={__name__}.Worst")])  # fmt: skip
def test_the_decisions_of_best_of_n_are_those_of_a_direct_run(start: Start, overrides: tuple[str, ...]) -> None:
    pool, direct = start("pool", "n=8"), start("direct", "n=8", *overrides)
    expected = [(record.chosen, float(bool(record.correct))) for record in records(direct)]
    assert decisions(pool, *overrides) == expected
    summary, result = json.loads((direct / "summary.json").read_text()), replayed(pool, *overrides)
    for key in ("n_problems", "n", "seed", "strategy", "selection", "reduction", "policy", "prm", "dataset"):
        assert result[key] == summary[key], key
    assert result["accuracy"] == pytest.approx(summary["accuracy"])
    assert {k: v["accuracy"] for k, v in result["by_level"].items()} == pytest.approx(
        {k: v["accuracy"] for k, v in summary["by_level"].items()}
    )
    low, high = result["ci95"]
    assert low < result["accuracy"] < high
    assert (result["subsets"], result["share"]) == (1, 1.0)
    for key in ("decoded_tokens", "policy_flops", "prm_flops"):
        assert result["cost"][key] == summary["ledger"][key], key


@pytest.mark.parametrize("strategy", ["dvts", "beam_search", "lookahead", "greedy"])
@pytest.mark.parametrize("selection", ["majority", "best"])
def test_the_decisions_of_searches_are_those_of_a_direct_run(start: Start, strategy: str, selection: str) -> None:
    own, other = (f"{name}-{strategy}" for name in ("pool", "direct"))
    pool = start(own, f"strategy={strategy}", "n=8")
    direct = start(other, f"strategy={strategy}", "n=8", f"selection={selection}")
    expected = [(record.chosen, float(bool(record.correct))) for record in records(direct)]
    assert decisions(pool, f"selection={selection}") == expected


def test_another_difficulty(start: Start) -> None:
    result = replayed(start("pool", "n=8"), "difficulty=oracle", "difficulty.bins=2", "n=2")
    assert set(result["by_level"]) == {"1", "2"} and result["difficulty"] == "oracle"


@pytest.mark.parametrize("selection", ["majority", "best", "weighted"])
def test_smaller_n_is_what_analysis_estimates(start: Start, selection: str) -> None:
    """All subsets of 6, so neither draws any."""
    pool = start("pool", "n=6")
    curve = estimate.curve(load(pool), at=[1, 3, 6])
    for n, count in ((1, 6), (3, 20), (6, 1)):
        rows = curve[(curve["n"] == n) & (curve["selection"] == selection)]
        result = replayed(pool, f"selection={selection}", f"n={n}")
        assert result["accuracy"] == pytest.approx(rows["correct"].mean())
        assert (result["subsets"], result["share"]) == (count, n / 6)


def test_whole_subtrees_of_dvts(start: Start) -> None:
    pool = start("pool", "strategy=dvts", "n=16")
    curve = estimate.curve(load(pool), at=[8])
    expected = curve[curve["selection"] == "weighted"]["correct"].mean()
    result = replayed(pool, "n=8")
    assert result["accuracy"] == pytest.approx(expected)
    assert result["subsets"] == 6
    ledger = json.loads((pool / "summary.json").read_text())["ledger"]
    assert ledger["prm_flops"] / 2 <= result["cost"]["prm_flops"] <= ledger["prm_flops"]
    share = result["cost"]["prm_flops"] / ledger["prm_flops"]
    found = evaluate.nested(load(pool)).query("selection == 'weighted' and n == 8")["flops"].sum()
    assert found == pytest.approx(ledger["policy_flops"] / 2 + ledger["prm_flops"] * share)


def test_many_subsets_are_drawn_with_a_seed(start: Start) -> None:
    pool = start("pool", "n=16")
    first, second = replayed(pool, "n=8"), replayed(pool, "n=8")
    assert first == second and first["subsets"] == subsets.RESAMPLES


def test_every_combination_of_values(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    pool = start("pool", "n=8")
    capsys.readouterr()
    main([str(pool), "selection=majority,best", "n=1,4,8"])
    out = capsys.readouterr().out
    assert len(list(pool.glob("replay/*/*.json"))) == 6
    assert sum(line.startswith("  pool/replay/") for line in out.splitlines()) == 6
    assert len(load(Path()).runs) == 1  # no run for analysis


def test_majority_and_a_single_sample_cost_no_prm(start: Start) -> None:
    pool = start("pool", "n=4")
    assert replayed(pool, "selection=majority")["cost"]["prm_flops"] == 0
    assert replayed(pool, "n=1")["cost"]["prm_flops"] == 0
    assert replayed(pool, "n=2")["cost"]["prm_flops"] > 0


def test_a_lone_finished_sample_is_chosen_without_a_score(start: Start) -> None:
    pool = start("pool", "n=4", "policy.max_tokens=60", "policy.min_depth=3", "policy.max_depth=3")
    lone = [record for record in records(pool) if sum(one.stop == "end" for one in record.candidates) == 1]
    assert lone and all(record.chosen is not None for record in lone)
    assert [chosen for chosen, _ in decisions(pool)] == [record.chosen for record in records(pool)]


@pytest.mark.parametrize(
    ("given", "overrides", "line"),
    [
        (
            ["strategy=beam_search"],
            ["n=4"],
            "pool says nothing about n=4: its candidates were compared with",
        ),
        (["strategy=dvts"], ["n=6"], "n=6 is not a multiple of width=4"),
        (["strategy=dvts"], ["reduction=min"], "pool searched by its own reduction: with another one it would"),
        ([], ["n=16"], "n=16 is more than the n=8 of pool"),
        ([], ["n=0"], "n=0 is not a whole number of at least 1"),
        ([], ["selection=median"], "selection has no option median"),
        ([], ["selection.power=2"], "selection.power needs its option before it: selection=... selection.power=..."),
        ([], ["policy=zoo"], "policy cannot be given here: only selection, reduction, difficulty, n, attempts can"),
        ([], ["n"], "n is not of the form key=value"),
        (["selection=majority"], ["selection=best"], "has no scores, which Best reads"),
        (
            ["budget=generations", "budget.generations=5"],
            ["n=4"],
            "ran out of its budget, so it says nothing about n=4",
        ),
        (["budget=tokens", "budget.tokens=300"], ["n=4"], "ran out of its budget, so it says nothing about n=4"),
    ],
)
def test_what_cannot_be_told_is_refused(
    start: Start, capsys: pytest.CaptureFixture[str], given: list[str], overrides: list[str], line: str
) -> None:
    pool = start("pool", "n=8", *given)
    capsys.readouterr()
    with pytest.raises(SystemExit, match="2"):
        main([str(pool), *overrides])
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and line in error
    assert not (pool / "replay").exists()


def test_a_run_in_progress_and_a_folder_of_something_else(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    pool = start("pool", "n=4")
    (pool / "summary.json").unlink()
    for folder, line in (
        ("pool", "pool is not finished"),
        (".", ". is not the folder of a run: it has no records.jsonl"),
    ):
        with pytest.raises(SystemExit, match="2"):
            main([folder])
        assert line in capsys.readouterr().err


def test_what_compute_optimal_chose_for_its_n_is_one_whole(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    """Although samples are all that it drew: at another n, the table might have chosen something else."""
    sampling = {"_target_": "ttcs.strategies.best_of_n.BestOfN", "n": None}
    cell = {"n": 4, "bin": 1, "method": "weighted"}
    fitted = {"schema": SCHEMA, "policy": "p", "prm": "q", "difficulty": "predicted", "samples": 4}
    table = {**fitted, "bins": [{"bin": 1, "at_least": None}], "methods": {"weighted": sampling}, "cells": [cell]}
    Path("table.json").write_text(json.dumps(table))
    models = "strategy.table.policy=null", "strategy.table.prm=null"
    pool = start("pool", "strategy=compute_optimal", "n=8", "strategy.table.path=table.json", *models)
    assert replayed(pool, "selection=majority")["cost"]["prm_flops"] == sum(
        record.ledger.prm_flops for record in records(pool)
    )
    with pytest.raises(SystemExit, match="2"):
        main([str(pool), "n=4"])
    assert "says nothing about n=4" in capsys.readouterr().err


def test_without_references(start: Start) -> None:
    result = replayed(start("pool", "n=4", "dataset.columns.answer=null"), "n=2")
    assert (result["accuracy"], result["ci95"], result["n_problems"]) == (None, None, 30)


@pytest.mark.parametrize("sure", ["null", "0.9"])
@pytest.mark.parametrize("selection", ["majority", "best", "weighted", "hierarchical"])
def test_the_beginnings_of_all_chains_are_a_direct_run(start: Start, selection: str, sure: str) -> None:
    """All chains of fewer attempts are one subset: what a smaller run decides, problem for problem."""
    chained = ["strategy=revisions", "strategy.chains=4", f"strategy.sure={sure}", "selection=hierarchical"]
    pool, direct = start("pool", *chained, "n=32"), start("direct", *chained, f"selection={selection}", "n=8")
    run = Stored.of(pool)
    (point,) = given([f"selection={selection}"], ("selection",))
    reading = Reading.of(run, _method(run, point), 8, 2)
    found = [reading.verdict(record) for record in records(pool)]
    assert [verdict.correct for verdict in found] == [float(bool(record.correct)) for record in records(direct)]
    result, summary = replayed(pool, f"selection={selection}", "attempts=2"), read_summary(direct)
    assert result["accuracy"] == pytest.approx(summary["accuracy"])
    assert (result["n"], result["attempts"], result["share"]) == (8, 2, 8 / 32)
    assert result["cost"]["decoded_tokens"] == pytest.approx(summary["ledger"]["decoded_tokens"])
    expected = chains.grid(load(pool), [(4, 2)])
    assert result["accuracy"] == pytest.approx(expected[expected["selection"] == selection]["correct"].mean())


def test_fewer_chains_of_fewer_attempts(start: Start) -> None:
    pool = start("pool", "strategy=revisions", "strategy.chains=4", "n=32", "selection=hierarchical")
    result = replayed(pool, "n=6", "attempts=3")
    grid = chains.grid(load(pool), [(2, 3)])
    assert result["accuracy"] == pytest.approx(grid[grid["selection"] == "hierarchical"]["correct"].mean())
    assert result["subsets"] == 6
    assert replayed(pool, "n=16")["attempts"] == 8  # whole chains, unless something else is said


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (["attempts=9"], "attempts=9 is more than the 8 of each chain of pool"),
        (["n=6", "attempts=4"], "n=6 is not a multiple of attempts=4"),
        (["n=32", "attempts=4"], "n=32 with attempts=4 is 8 chains, more than the 4 of pool"),
        (["n=12"], "n=12 is not a multiple of attempts=8"),
        (["attempts=0"], "attempts=0 is not a whole number of at least 1"),
    ],
)
def test_grids_that_a_run_does_not_hold(
    start: Start, capsys: pytest.CaptureFixture[str], overrides: list[str], line: str
) -> None:
    pool = start("pool", "strategy=revisions", "strategy.chains=4", "n=32")
    capsys.readouterr()
    with pytest.raises(SystemExit, match="2"):
        main([str(pool), *overrides])
    assert line in capsys.readouterr().err


def test_attempts_are_of_chains(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    pool = start("pool", "n=8")
    with pytest.raises(SystemExit, match="2"):
        main([str(pool), "attempts=2"])
    assert "attempts=2: pool has no chains of attempts" in capsys.readouterr().err


def test_chains_that_a_budget_ended(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    limits = "budget=generations", "budget.generations=20"
    pool = start("pool", "strategy=revisions", "strategy.chains=4", "n=32", *limits)
    with pytest.raises(SystemExit, match="2"):
        main([str(pool), "attempts=2"])
    assert "ran out of its budget, so it says nothing about n=8" in capsys.readouterr().err


def read_summary(folder: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    return result
