"""Plans: the roofline against hand computations, pilots against the runs they stand for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from benchmarks.planning import checks
from ttcs import __main__ as command
from ttcs.config import components
from ttcs.config.components import build
from ttcs.config.options import CONF
from ttcs.errors import UserError
from ttcs.planning import __main__ as planning
from ttcs.planning.estimate import QUANTITIES, estimate, total
from ttcs.planning.machine import GPU, Measured
from ttcs.planning.work import Work, extrapolated

GPUS = sorted(file.stem for file in (CONF / "gpu").glob("*.yaml"))
# 1000 FLOP/s and 100 bytes/s at half of each; a model of 10 parameters is 20 bytes, a token's keys and values 1 byte.
TOY = GPU("toy", 1000, 100, 1000, 3600.0, 0.5, 0.5, batch=4, kv_bytes=1, memory_share=1.0)
WORK = Work(decoded=8, read=2, prm_tokens=5, policy_flops=200, prm_flops=460, context=5, parameters=10, seconds=None)
BASE = ["policy=scripted", "prm=scripted", "strategy=dvts", "n=8"]
Plan = Callable[..., dict[str, dict[str, float]]]


def test_seconds_by_hand() -> None:
    """Prompt and PRM: (200 x 2/10 + 460) / (1000 x 0.5) = 1 s. A decoded token: (20 / 4 + 5) / (100 x 0.5) = 0.2 s."""
    assert TOY.decode_seconds(WORK) == pytest.approx(0.2)
    assert TOY.seconds(WORK) == pytest.approx(1 + 8 * 0.2)


def test_a_large_batch_is_bound_by_arithmetic() -> None:
    """Without keys and values the weights cost 20 / 4000 / 100 s a token, its 20 FLOPs 20 / 1000 s."""
    large = GPU("toy", 1000, 100, 1000, 1.0, 0.5, 0.5, batch=4000, kv_bytes=0, memory_share=1.0)
    assert large.decode_seconds(WORK) == pytest.approx(0.02 / 0.5)


def test_the_batch_is_what_fits_beside_the_weights() -> None:
    assert TOY.together(weights=20, cache=490) == 2
    with pytest.raises(UserError, match=r"do not fit in 100% of the 0 GB of toy"):
        TOY.together(weights=990, cache=20)


def test_a_share_of_nothing_is_refused() -> None:
    with pytest.raises(UserError, match=r"gpu.prefill_share=0 is not positive"):
        GPU("toy", 1, 1, 1, 1.0, 0, 0.5, 1, 1, 1.0)


def test_amounts_by_hand() -> None:
    amounts = estimate([WORK] * 20, 100, TOY).amounts()
    hours = 100 * 2.6 / 3600
    expected = dict(zip(QUANTITIES, (800, 500, 66_000, hours, hours * 3600), strict=True))
    assert {name: amount.mean for name, amount in amounts.items()} == pytest.approx(expected)
    assert all(amount.low == pytest.approx(amount.high) for amount in amounts.values())


def test_the_interval_covers_both_the_pilots_luck_and_the_runs() -> None:
    """Costs 0 and 2 by turns, 20 for 400: the sum is 400 with a deviation of 400 x sqrt(1 / 20 + 1 / 400) = 91.7."""
    works = [replace(WORK, decoded=decoded) for decoded in (0.0, 2.0) * 10]
    tokens = estimate(works, 400, TOY).amounts()["decoded_tokens"]
    assert tokens.mean == pytest.approx(400)
    assert (tokens.high - tokens.low) / 2 == pytest.approx(1.96 * 91.7, rel=0.1)


def test_totals_add_up() -> None:
    one = estimate([WORK, WORK.grown(2.0, dict.fromkeys(WORK.__slots__, 1.0))], 10, TOY)
    amount, both = one.amounts()["cost"], total([one, one]).amounts()["cost"]
    assert (both.mean, both.low, both.high) == pytest.approx((2 * amount.mean, 2 * amount.low, 2 * amount.high))


def test_one_problem_is_no_pilot() -> None:
    with pytest.raises(UserError, match=r"a pilot of 1 problems says nothing about the spread"):
        estimate([WORK], 10, TOY)


def test_what_grows_with_n() -> None:
    """In proportion to n from one run, with the power between the nearest two otherwise; lengths stay."""
    (four,) = extrapolated({16: [WORK]}, 64)
    assert (four.decoded, four.prm_flops, four.context) == (32, 4 * 460, 5)
    slower = WORK.grown(4.0, dict.fromkeys(WORK.__slots__, 0.5))
    (more,) = extrapolated({4: [WORK], 16: [slower]}, 64)
    assert (more.decoded, more.prm_tokens) == pytest.approx((8 * 4, 5 * 4))


def test_the_machine_of_the_pilot() -> None:
    with pytest.raises(UserError, match=r"gpu=measured takes its seconds from a pilot"):
        Measured("measured", 1.0).seconds(WORK)


@pytest.mark.parametrize("name", GPUS)
def test_every_gpu_composes(name: str) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        assert build(compose("planning", [f"gpu={name}"]), "gpu").name == name


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Plan:
    """The total of the plan that the command writes; what it says is checked for the file's name."""
    monkeypatch.chdir(tmp_path)
    components.forget()

    def call(*arguments: str) -> dict[str, dict[str, float]]:
        planning.main(arguments)
        assert "plan.json" in capsys.readouterr().out
        found: dict[str, dict[str, float]] = json.loads(Path("plan.json").read_text())["total"]
        return found

    return call


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """`python -m ttcs` with these arguments."""
    monkeypatch.setattr("sys.argv", ["ttcs", *BASE, *arguments])
    command.main()


def test_a_pilot_predicts_the_run(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, "hydra.run.dir=pilot", "dataset.limit=20")
    predicted = plan(*BASE, "plan.pilot=pilot", "dataset.limit=100", "seed=7")
    run(monkeypatch, "hydra.run.dir=run", "dataset.limit=100", "seed=7")
    ledger = json.loads(Path("run/summary.json").read_text())["ledger"]
    for name in ("decoded_tokens", "prm_tokens"):
        assert predicted[name]["low"] <= ledger[name] <= predicted[name]["high"]
        assert predicted[name]["mean"] == pytest.approx(ledger[name], rel=0.1)
        assert predicted[name]["high"] < 1.3 * predicted[name]["low"]
    assert predicted["flops"]["mean"] == pytest.approx(ledger["policy_flops"] + ledger["prm_flops"], rel=0.1)


def test_a_simulation_where_there_is_no_pilot(plan: Plan) -> None:
    """Solutions of 4 to 12 steps of 45 tokens; a sweep's points add up, and what span leaves out costs nothing."""
    one = plan("dataset.limit=50", "n=4")["decoded_tokens"]["mean"]
    assert one == pytest.approx(50 * 4 * 8 * 45, rel=0.15)
    assert plan("dataset.limit=50", "n=4,8", "-m")["decoded_tokens"]["mean"] == pytest.approx(3 * one, rel=0.15)
    assert plan("dataset.limit=50", "n=4,8", "+span.best_of_n=[4,4]", "-m")["decoded_tokens"]["mean"] == one
    assert not any(Path().rglob("records.jsonl"))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["gpu=h10"], "gpu has no option h10 (nearest: h100"),
        (["gpu=measured"], "gpu=measured takes its seconds from a pilot"),
        (["plan.pilot=nowhere"], "plan.pilot=nowhere: no run with records there"),
        (["plan.pilot=pilot", "strategy=best_of_n"], "no pilot for BestOfN: the nearest of 1 runs is pilot, where"),
        (["plan.pilot=pilot", "policy.seed=3"], "where policy.seed is 0 there and 3 here"),
        (["plan.pilto=pilot"], "there is no key plan.pilto"),
        (["--nope"], "unrecognized argument: --nope"),
        (["strategy=best_of_n", "budget=shared", "budget.tokens=1000"], "budget=shared is not planned: budget"),
        (["n=0"], "n=0 is not a whole number of at least 1"),
        (["gpu.batch=0"], "gpu.batch=0 is not a whole number of at least 1"),
        (["gpu.memory_share=2"], "gpu.memory_share=2 is not a number of more than 0 and at most 1"),
        (["plan.policy.min_depth=0"], "plan.policy.min_depth=0 is not a whole number of at least 1"),
        (["plan.prompt_tokens=${oc.env:NOPE}"], "Environment variable 'NOPE' not found"),
        (["policy.seed={"], """stand in quotes, inside those of the shell: 'policy.seed="{"'"""),
    ],
)
def test_bad_input_gets_one_line(
    arguments: list[str], line: str, plan: Plan, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "hydra.run.dir=pilot", "dataset.limit=2")
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        planning.main([*BASE, *arguments])
    err = capsys.readouterr().err
    assert end.value.code == 2
    assert err.startswith("error: ") and err.count("\n") == 1 and line in err


def test_plans_beside_what_came_true(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run checked against 20 of its problems and against a run at half its n; smaller runs are left out."""
    for name, n, problems in (("a", 8, 40), ("b", 16, 40), ("c", 32, 10)):
        run(monkeypatch, f"hydra.run.dir=runs/{name}", f"n={n}", f"dataset.limit={problems}")
    found = list(checks(Path("runs")))
    assert [(check.what, check.seconds) for check in found] == [
        ("dvts, n = 8: 20 of its 40 problems", False),
        ("dvts, n = 16: 20 of its 40 problems", False),
        ("dvts, n = 16: 20 problems at n = 8", True),
    ]
    tokens = [check.predicted.mean[0] / check.true.mean[0] for check in found]
    assert tokens == pytest.approx([1, 1, 1], abs=0.1)
