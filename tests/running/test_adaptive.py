"""Runs that draw until it is enough: stopped and gone on with, on workers, with more or less running ahead."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from tests.simulation import CONF, PROBLEMS
from ttcs import __main__ as command
from ttcs import merge, replay
from ttcs.config import components
from ttcs.core import Continued
from ttcs.errors import EngineError
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.records.record import Record
from ttcs.records.record_file import read
from ttcs.running.session import session
from ttcs.running.workers.job import Job

Run = Callable[..., dict[str, Any]]
BASE = [
    *("policy=scripted", "prm=scripted", "dataset=jsonl", "dataset.path=p.jsonl", "dataset.columns.level=level"),
    *("strategy=adaptive_vote", "selection=majority", "policy.pace=5", "hydra.run.dir=out"),
]
FAILURE: list[Exception] = []


@dataclass(slots=True)
class Failing(ScriptedPolicy):
    """Raises what `FAILURE` names, half way."""

    calls: int = 0

    def step(self) -> list[tuple[int, Continued]]:
        self.calls += 1
        if self.calls == 150 and FAILURE:
            raise FAILURE.pop()
        return ScriptedPolicy.step(self)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `python -m ttcs` with the overrides in a folder of its own; the summary of the folder `out`."""
    monkeypatch.chdir(tmp_path)
    components.forget()
    rows = [{"id": f"p{i}", "question": f"{i} + 1?", "answer": str(i + 1), "level": i % 5 + 1} for i in range(10)]
    Path("p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def start(*overrides: str) -> dict[str, Any]:
        monkeypatch.setattr(sys, "argv", ["ttcs", *BASE, *overrides])
        command.main()
        found: dict[str, Any] = json.loads(Path("out/summary.json").read_text())
        return found

    return start


def found(record: Record) -> tuple[Any, ...]:
    """What does not depend on what ran ahead."""
    ledger = record.ledger
    return record.candidates, record.tree, record.answer, ledger.decoded_tokens - ledger.speculated_tokens


def test_the_table_and_the_records_say_what_it_took(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    summary = run("n=16")
    records, ledger = list(read(Path("out/records.jsonl"))), summary["ledger"]
    drawn = sum(len(record.candidates) for record in records) / 10
    assert summary["samples"] == drawn < 16 and summary["pass_at_k"] == {}
    assert all(record.adaptive and record.ledger.rounds > 0 for record in records)
    share = ledger["speculated_tokens"] / ledger["decoded_tokens"]
    assert share > 0
    (row,) = (line for line in capsys.readouterr().out.splitlines() if "samples" in line)
    assert f"{drawn:.1f} per problem" in row and f"tokens beyond them: {share:.1%}" in row


def test_a_run_that_is_stopped_goes_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    given = "n=16", "policy.capacity=8", f"policy._target_={__name__}.Failing"
    FAILURE[:] = [EngineError("the engine has died")]
    with pytest.raises(SystemExit, match="2"):
        run(*given)
    kept = list(read(Path("out/records.jsonl")))
    assert 0 < len(kept) < 10
    components.forget()
    assert run(*given)["n_problems"] == 10
    records = list(read(Path("out/records.jsonl")))
    assert records[: len(kept)] == kept
    monkeypatch.setattr(sys, "argv", ["ttcs", *BASE, *given, "ahead=0", "hydra.run.dir=whole"])
    command.main()
    whole = {record.problem_id: found(record) for record in read(Path("whole/records.jsonl"))}
    assert {record.problem_id: found(record) for record in records} == whole


def test_one_folder_holds_the_costs_of_one_setting_of_ahead(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("n=8")
    with pytest.raises(SystemExit, match="2"):
        run("n=8", "ahead=0")
    assert "ahead is 4 there and 0 here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("stopping=beta", "selection=weighted"), "stopping=beta reads no scores, but selection=weighted goes by"),
        (("stopping=weighted", "selection=majority"), "stopping=weighted goes by scores, but selection=majority reads"),
        (("stopping=beta", "selection=majority"), None),
        (("stopping=weighted_beta", "selection=weighted"), None),
        (("stopping=never", "selection=weighted"), None),
        (("strategy=best_of_n", "selection=weighted"), None),
    ],
)
def test_a_rule_that_stops_another_vote_than_the_one_that_decides_is_told(
    run: Run, capsys: pytest.CaptureFixture[str], given: tuple[str, ...], said: str | None
) -> None:
    run("n=4", "picture=none", *given)
    error = capsys.readouterr().err
    assert error == "" if said is None else error.startswith(f"warning: {said}") and error.count("\n") == 1


@pytest.mark.parametrize("ahead", ["-1", "1.5", "many"])
def test_ahead_is_a_whole_number_or_null(run: Run, capsys: pytest.CaptureFixture[str], ahead: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(f"ahead={ahead}")
    error = capsys.readouterr().err
    assert error.startswith(f"error: ahead={ahead} is not a whole number of at least 0") and error.count("\n") == 1


def job(*overrides: str) -> Job:
    given = ["policy=scripted", "policy.pace=5", "prm=scripted", "strategy=adaptive_vote", "n=16", *overrides]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return Job.of(compose("config", given), 0.0)


@pytest.mark.parametrize("ahead", [0, 4, None])
def test_what_runs_ahead_is_what_a_worker_is_told(ahead: int | None) -> None:
    told = job(f"ahead={'null' if ahead is None else ahead}").config
    assert told["ahead"] == ahead
    records = list(session(OmegaConf.create(told), iter(PROBLEMS), 0.0))
    assert (sum(record.ledger.speculated_tokens for record in records) > 0) == (ahead != 0)
    usual = list(session(OmegaConf.create(job("ahead=0").config), iter(PROBLEMS), 0.0))
    assert {one.problem_id: found(one) for one in records} == {one.problem_id: found(one) for one in usual}


def test_two_records_of_a_problem_may_differ_in_what_ran_ahead(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("n=16")
    Path("out").rename("one")
    components.forget()
    run("n=16", "policy.capacity=3")
    records = [{record.problem_id: record for record in read(Path(name, "records.jsonl"))} for name in ("one", "out")]
    assert any(asdict(records[0][name].ledger) != asdict(records[1][name].ledger) for name in records[0])
    text = Path("one/config.yaml").read_text()
    Path("out/config.yaml").write_text(text)
    merge.merge([Path("one"), Path("out")], Path("both"))
    assert len(list(read(Path("both/records.jsonl")))) == 10


def test_fewer_of_them_say_nothing_about_a_smaller_n(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("n=16")
    capsys.readouterr()
    replay.main(["out", "selection=majority"])
    assert "16" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        replay.main(["out", "selection=majority", "n=4"])
    error = capsys.readouterr().err
    assert "was sampled until it was enough, so it says nothing about n=4" in error and error.count("\n") == 1
