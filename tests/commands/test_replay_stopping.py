"""`python -m ttcs.replay RUN stopping=...` on runs of the scripted pair, and on a pool of somebody else's."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ttcs import __main__ as command
from ttcs import pools
from ttcs.choice.selection import Majority
from ttcs.choice.stopping.beta import Beta
from ttcs.config import components
from ttcs.core import Candidate
from ttcs.records.early import enough
from ttcs.records.record_file import read
from ttcs.replay import main

Start = Callable[..., Path]
BASE = ["policy=scripted", "prm=scripted", "dataset=jsonl", "dataset.path=p.jsonl", "dataset.columns.level=level"]
HARD = ["policy.accuracy=[0.8,0.7,0.6,0.5,0.4]", "prm.quality=0.4", "n=16"]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Runs `python -m ttcs` in the folder named first."""
    monkeypatch.chdir(tmp_path)
    components.forget()
    rows = [{"id": f"p{i}", "question": f"{i} + 1?", "answer": str(i + 1), "level": i % 5 + 1} for i in range(20)]
    Path("p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def run(folder: str, *overrides: str) -> Path:
        vote = [] if any(override.startswith("selection=") for override in overrides) else ["selection=majority"]
        monkeypatch.setattr(sys, "argv", ["ttcs", *BASE, *HARD, *vote, f"hydra.run.dir={folder}", *overrides])
        command.main()
        return Path(folder)

    return run


def replayed(folder: Path, *overrides: str) -> list[dict[str, Any]]:
    before = set(folder.glob("replay/*/*.json"))
    main([str(folder), *overrides])
    new = sorted(set(folder.glob("replay/*/*.json")) - before, key=lambda path: path.stat().st_mtime_ns)
    return [json.loads(path.read_text()) for path in new]


def test_never_is_the_vote_of_all_and_settled_its_answer_for_less(start: Start) -> None:
    pool = start("pool")
    never, settled = replayed(pool, "stopping=never,settled", "ahead=0")
    assert never["accuracy"] == settled["accuracy"] and (never["share"], never["difference"]) == (1.0, 0.0)
    assert settled["difference_ci95"] == [0.0, 0.0] and settled["share"] < 0.9
    assert never["course"]["samples"] == never["course"]["rounds"] == 16 and never["fixed"]["rounds"] == 1
    summary = json.loads((pool / "summary.json").read_text())
    (once,) = replayed(pool, "stopping=never", "orders=1")
    assert once["accuracy"] == summary["accuracy"]
    assert once["course"]["tokens"] * 20 == summary["ledger"]["decoded_tokens"]


def test_the_recorded_order_is_what_a_search_would_have_drawn(start: Start) -> None:
    pool = start("pool")
    (result,) = replayed(pool, "stopping=beta", "stopping.threshold=0.9", "orders=1", "ahead=null")
    samples, tokens, correct = [], [], []
    for record in read(pool / "records.jsonl"):
        seen = [Candidate(one.group, 0.0) for one in record.candidates]
        needed = enough(Beta(0.9), seen)
        chosen = Majority()(seen[:needed])
        samples.append(needed)
        tokens.append(sum(one.tokens or 0 for one in record.candidates[:needed]))
        correct.append(chosen is not None and record.candidates[chosen].correct)
    assert (result["course"]["samples"], result["course"]["tokens"]) == (sum(samples) / 20, sum(tokens) / 20)
    assert result["accuracy"] == sum(map(bool, correct)) / 20
    assert result["rule"] == {"name": "beta", "threshold": 0.9} and result["ahead"] is None


@pytest.mark.parametrize(
    ("rule", "selection"), [("beta", "majority"), ("settled", "majority"), ("weighted", "weighted")]
)
def test_it_is_what_adaptive_vote_does(start: Start, rule: str, selection: str) -> None:
    pool = start("pool", f"selection={selection}")
    direct = start("direct", "strategy=adaptive_vote", f"stopping={rule}", f"selection={selection}", "ahead=0")
    (result,) = replayed(pool, f"stopping={rule}", "orders=1", "ahead=0")
    summary = json.loads((direct / "summary.json").read_text())
    assert result["accuracy"] == summary["accuracy"] and result["course"]["samples"] == summary["samples"] < 16
    assert result["course"]["tokens"] * 20 == summary["ledger"]["decoded_tokens"]


def test_what_runs_ahead_is_time_against_waste(start: Start) -> None:
    pool = start("pool")
    found = {result["ahead"]: result["course"] for result in replayed(pool, "stopping=beta", "ahead=0,4,null")}
    assert len({course["tokens"] for course in found.values()}) == 1
    waste, time, rounds = ([found[k][key] for k in (0, 4, None)] for key in ("speculated", "latency", "rounds"))
    assert waste[0] == 0 and waste == sorted(waste) and time == sorted(time, reverse=True)
    assert rounds[0] == found[0]["samples"] and rounds[2] == 1


def test_every_rule_at_a_smaller_n_with_scores(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    pool = start("pool", "selection=weighted")
    rules = "beta,dirichlet,window,settled,weighted,weighted_mean,never"
    results = {one["rule"]["name"]: one for one in replayed(pool, f"stopping={rules}", "n=8", "orders=5")}
    assert len(results) == 7 and all(one["course"]["samples"] <= 8 for one in results.values())
    assert results["weighted"]["difference_ci95"] == [0.0, 0.0]
    assert results["weighted_mean"]["share"] <= results["weighted"]["share"]
    out = capsys.readouterr().out
    assert "stopping rules: selection weighted, n 8, ahead 4, orders 5" in out
    assert sum(line.startswith("  pool/replay/") for line in out.splitlines()) == 7


def test_a_pool_from_elsewhere_whose_tokens_nobody_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    right, wrong = r"So \boxed{3}", r"So \boxed{4}"
    rows = [{"id": id, "problem": "1 + 2?", "answer": "3", "completions": [first, right, right, "none", wrong, right]}
            for id, first in (("a", right), ("b", wrong))]  # fmt: skip
    Path("pool.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pools.main(["pool.jsonl", "--out", "out", "selection=majority"])
    (settled,) = replayed(Path("out"), "stopping=settled", "orders=3")
    assert (settled["accuracy"], settled["difference"]) == (1.0, 0.0)
    assert settled["course"]["tokens"] is None and settled["share"] == settled["course"]["samples"] / 6
    assert "unknown" in capsys.readouterr().out


def test_a_budget_for_all_problems(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    pool = start("pool")
    small, large = replayed(pool, "budget=shared", "n=2,4", "orders=3")
    for n, result in ((2, small), (4, large)):
        assert (result["n"], result["orders"], result["n_graded"]) == (n, 3, 20)
        assert result["spent"] == result["equal_spent"]
        assert result["least"] <= n <= result["most"] <= 16
        low, high = result["difference_ci95"]
        assert low <= result["difference"] <= high
        assert result["difference"] == pytest.approx(result["accuracy"] - result["equal_accuracy"])
    assert replayed(pool, "budget=shared", "n=2", "orders=3", "budget.tokens=100")[0]["spent"] == 100 / 20
    assert "a budget for all problems" in capsys.readouterr().out


def test_a_rule_that_stops_another_vote_than_the_one_that_decides_is_told_once(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    pool = start("pool", "selection=weighted")
    capsys.readouterr()
    replayed(pool, "stopping=beta", "stopping.threshold=0.8,0.9", "orders=2")
    error = capsys.readouterr().err
    assert error.startswith("warning: stopping=beta reads no scores, but selection=weighted goes by scores: ")
    assert error.count("\n") == 1
    replayed(pool, "stopping=beta", "selection=majority", "orders=2")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("given", "overrides", "line"),
    [
        ([], ["stopping=soon"], "stopping has no option soon"),
        ([], ["stopping=beta", "n=17"], "n=17 is more than the n=16 of pool"),
        ([], ["stopping=beta", "orders=0"], "orders=0 is not a whole number of at least 1"),
        ([], ["stopping=beta", "ahead=-1"], "ahead=-1 is not a whole number of at least 0, nor null"),
        ([], ["stopping=beta", "stopping.threshold=1.2"], "stopping.threshold=1.2 is not a number of more than 0"),
        ([], ["stopping=window", "stopping.size=0"], "stopping.size=0 is not a whole number of at least 1"),
        ([], ["stopping=weighted"], "has no scores, which Weighted reads"),
        ([], ["stopping=beta", "selection=confidence"], "which solutions of BestOfN do not say: sample with strategy."),
        ([], ["stopping=beta", "difficulty=oracle"], "difficulty cannot be given here: only stopping, selection,"),
        ([], ["orders=3"], "orders cannot be given here: only selection, reduction, difficulty, n, attempts can"),
        ([], ["budget=shared", "n=16"], "n=16 is all of the 16 samples of each problem: a shared budget needs"),
        ([], ["budget=shared", "budget.block=0"], "budget.block=0 is not a whole number of at least 1"),
        ([], ["budget=shared", "budget.part=2"], "budget.part=2 is not a number of more than 0 and at most 1"),
        ([], ["budget=tokens"], "budget=tokens cannot be replayed: only budget=shared can"),
        (["strategy=dvts"], ["stopping=beta"], "pool: stopping rules are replayed on independent samples"),
        (["strategy=beam_search"], ["stopping=beta"], "pool says nothing about n=16: its candidates were compared"),
        (["budget=generations", "budget.generations=5"], ["stopping=beta"], "ran out of its budget"),
    ],
)
def test_what_cannot_be_told_is_refused(
    start: Start, capsys: pytest.CaptureFixture[str], given: list[str], overrides: list[str], line: str
) -> None:
    pool = start("pool", *given)
    capsys.readouterr()
    with pytest.raises(SystemExit, match="2"):
        main([str(pool), *overrides])
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and line in error
    assert not (pool / "replay").exists()
