"""Runs on several processes. What the workers build is in this module too: they import it by name."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from ttcs import __main__ as command
from ttcs.config import components
from ttcs.core import Continued, Problem
from ttcs.errors import UserError
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.records.record import Record
from ttcs.records.record_file import read
from ttcs.running.workers import pool
from ttcs.running.workers.deal import Deal, Word

ROOT = Path(__file__).parents[2]
BASE = ["policy=scripted", "prm=scripted", "dataset=jsonl", "dataset.path=p.jsonl", "strategy=beam_search", "n=8"]
PROBLEMS = 24
PATIENCE = 600  # seconds, for a machine on which others have the first word
Main = Callable[..., int]


@dataclass(slots=True)
class Traced(ScriptedPolicy):
    """Leaves a file per process that made one."""

    def __post_init__(self) -> None:
        Path(f"made.{os.getpid()}").touch()


@dataclass(slots=True)
class Killed(ScriptedPolicy):
    """Its process is killed, once, when the run is half way."""

    def step(self) -> list[tuple[int, Continued]]:
        if not Path("killed").exists() and len(list(read(Path("out/records.jsonl")))) > PROBLEMS // 2:
            Path("killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return ScriptedPolicy.step(self)


@dataclass(slots=True)
class Missing(ScriptedPolicy):
    def __post_init__(self) -> None:
        raise UserError("there is no model folder m")


@dataclass(slots=True)
class Broken(ScriptedPolicy):
    def step(self) -> list[tuple[int, Continued]]:
        raise ZeroDivisionError("a bug")


@dataclass(slots=True)
class Endless(ScriptedPolicy):
    """Works on and on, so that only someone else can end it."""

    def step(self) -> list[tuple[int, Continued]]:
        Path(f"working.{os.getpid()}").touch()
        time.sleep(0.1)
        return []


@pytest.fixture
def main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Main]:
    """`python -m ttcs` in this process and a folder of its own; the exit code."""
    monkeypatch.chdir(tmp_path)
    components.forget()
    rows = [{"id": f"p{i}", "question": f"{i} + 1?", "answer": str(i + 1)} for i in range(PROBLEMS)]
    Path("p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def call(*overrides: str) -> int:
        monkeypatch.setattr(sys, "argv", ["ttcs", *BASE, *overrides])
        try:
            command.main()
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    yield call
    pool.close()


def policy(kind: type) -> str:
    return f"policy._target_={__name__}.{kind.__name__}"


def found(folder: str) -> dict[str, Record]:
    """By problem, all but the clocks."""
    records = [replace(record, run_seconds=0.0) for record in read(Path(folder) / "records.jsonl")]
    for record in records:
        record.ledger.seconds = 0.0
    assert len({record.problem_id for record in records}) == len(records)
    return {record.problem_id: record for record in records}


def gone(pid: int) -> bool:
    """Within a while: a process ends in its own time, on a busy machine."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if "State:\tZ" in Path(f"/proc/{pid}/status").read_text():
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.1)
    return False


def workers(kind: str) -> list[int]:
    """Processes that have left a file."""
    return [int(path.suffix[1:]) for path in Path().glob(f"{kind}.*")]


def test_results_do_not_depend_on_the_workers(main: Main, capfd: pytest.CaptureFixture[str]) -> None:
    """The second run has the workers of the first; the third needs one more, and so others."""
    for count, folder in ((1, "one"), (2, "two"), (2, "again"), (3, "three")):
        assert main(f"workers={count}", f"hydra.run.dir={folder}", policy(Traced)) == 0
        assert len(workers("made")) == {"one": 1, "two": 3, "again": 3, "three": 6}[folder]
    one = found("one")
    assert len(one) == PROBLEMS
    assert found("two") == found("again") == found("three") == one
    pool.close()
    assert all(gone(pid) for pid in workers("made") if pid != os.getpid())
    assert capfd.readouterr().err == ""


def test_there_is_at_least_one_worker(main: Main, capsys: pytest.CaptureFixture[str]) -> None:
    assert main("workers=0") == 2
    assert capsys.readouterr().err == "error: workers=0 is not a whole number of at least 1\n"


def test_a_killed_worker_ends_the_run_and_the_same_command_goes_on(
    main: Main, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["workers=2", "hydra.run.dir=out", policy(Killed), "policy.capacity=8", "prm.capacity=8"]
    assert main(*given) == 2
    error = capsys.readouterr().err
    kept = found("out")
    assert PROBLEMS // 2 < len(kept) < PROBLEMS
    assert error.count("\n") == 1 and "was killed by SIGKILL" in error
    assert f"{len(kept)} of {PROBLEMS} problems are on record, and the same command goes on from there" in error
    assert pool._POOL[0]._workers == []
    assert main(*given[1:]) == 0  # with one worker: how many there are is no part of a run's identity
    finished = found("out")
    assert finished.items() >= kept.items()
    assert main("workers=1", "hydra.run.dir=whole") == 0
    assert finished == found("whole")


@pytest.mark.parametrize("kind", [Missing, Broken])
def test_what_goes_wrong_in_a_worker_is_told_here(main: Main, capsys: pytest.CaptureFixture[str], kind: type) -> None:
    given = "workers=2", "dataset.limit=1", policy(kind)  # one problem, one worker
    if kind is Broken:
        with pytest.raises(RuntimeError, match=r"(?s)in a worker:\nTraceback.*ZeroDivisionError: a bug"):
            main(*given)
    else:
        assert main(*given) == 2
        assert capsys.readouterr().err == "error: there is no model folder m\n"


# As `python -m ttcs`, but for a test suite in the background, whose children would ignore an interrupt.
INTERRUPTIBLE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from ttcs.__main__ import main
main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_worker_outlives_its_parent(main: Main, number: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, *BASE, policy(Endless), "workers=2"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while len(workers("working")) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
        parent.send_signal(number)
        _, error = parent.communicate(timeout=PATIENCE)
    finally:
        parent.kill()
    assert len(workers("working")) == 2 and all(gone(pid) for pid in workers("working"))
    if number is signal.SIGINT:
        assert (parent.returncode, error) == (130, "interrupted: the same command goes on from here\n")


@pytest.mark.slow
def test_the_zoo_on_two_workers(main: Main) -> None:
    given = ["policy=zoo", "prm=zoo", "dataset=zoo", "dataset.path=${package:zoo/data/test.jsonl}", "dataset.limit=8"]
    for count, folder in ((1, "one"), (2, "two")):
        assert main(*given, f"workers={count}", f"hydra.run.dir={folder}") == 0
    assert {name: written(record) for name, record in found("two").items()} == {
        name: written(record) for name, record in found("one").items()
    }


def written(record: Record) -> tuple[Any, ...]:
    """Without the costs that caches save, and scores to within the arithmetic of batches of another size."""
    tree = [(node.parent, node.text, node.stop, pytest.approx(node.score, abs=1e-4)) for node in record.tree]
    candidates = [(candidate.leaf, candidate.answer, candidate.group) for candidate in record.candidates]
    return record.answer, record.correct, record.ledger.decoded_tokens, tree, candidates


def problems(count: int) -> list[Problem]:
    return [Problem(f"p{i}", "?") for i in range(count)]


def dealt(deal: Deal, worker: int) -> int:
    """How many problems a worker gets that asks until it gets none."""
    count = 0
    while isinstance(deal.next(worker), Problem):
        count += 1
    return count


def test_the_first_worker_leaves_the_others_their_share() -> None:
    deal = Deal(problems(10), 3)
    assert [dealt(deal, worker) for worker in range(3)] == [4, 4, 2]


def test_one_worker_gets_everything() -> None:
    assert dealt(Deal(problems(10), 1), 0) == 10


def test_whoever_finishes_gets_more_whatever_the_others_do() -> None:
    deal = Deal(problems(10), 2)
    assert isinstance(deal.next(1), Problem)  # and never comes back
    done = 0
    while (given := deal.next(0)) is not Word.OVER:
        if given is Word.LATER:
            deal.finished(0)
            done += 1
    assert done >= 4


def test_shares_shrink_towards_the_end() -> None:
    deal = Deal(problems(12), 2)
    assert dealt(deal, 0) == 6 and dealt(deal, 1) == 6
    deal = Deal(problems(12), 2)
    assert dealt(deal, 0) == 6
    for _ in range(4):
        deal.finished(0)
    assert dealt(deal, 0) == 2  # of 8, when it has 2
    assert deal.next(0) is Word.LATER and dealt(deal, 1) == 4
    assert deal.next(0) is Word.OVER
