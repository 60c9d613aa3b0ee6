"""Runs with a budget for the whole problem set, by the command: replayed, killed, refused, and with real models."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ttcs import __main__ as command
from ttcs.config import components
from ttcs.core import Continued, Stop
from ttcs.errors import EngineError
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.records.record import Record
from ttcs.records.record_file import read
from ttcs.replay import main as replay

Start = Callable[..., Path]
SCRIPTED = [
    *("policy=scripted", "prm=scripted", "dataset=jsonl", "dataset.path=shared.jsonl", "dataset.columns.level=level"),
    *("policy.accuracy=[0.8,0.7,0.6,0.5,0.4]", "policy.pace=5", "policy.max_tokens=200", "policy.capacity=8", "n=12"),
    f"policy._target_={__name__}.Ending",
]
SHARED = "budget=shared", "budget.tokens=5000"
FAILURE: list[Exception] = []


@dataclass(slots=True)
class Ending(ScriptedPolicy):
    """Fails half way with what `FAILURE` names, or ends the process."""

    calls: int = 0

    def step(self) -> list[tuple[int, Continued]]:
        self.calls += 1
        if self.calls == 40:
            if "KILLED" in os.environ:
                os.kill(os.getpid(), signal.SIGKILL)
            if FAILURE:
                raise FAILURE.pop()
        return ScriptedPolicy.step(self)


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Runs `python -m ttcs` in the folder named first."""
    monkeypatch.chdir(tmp_path)
    components.forget()
    rows = [{"id": f"p{i}", "question": f"{i} + 1?", "answer": str(i + 1), "level": i % 5 + 1} for i in range(12)]
    Path("shared.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def run(folder: str, *overrides: str) -> Path:
        given = [] if "policy=zoo" in overrides else SCRIPTED
        monkeypatch.setattr(sys, "argv", ["ttcs", *given, "picture=none", f"hydra.run.dir={folder}", *overrides])
        command.main()
        return Path(folder)

    return run


def records(folder: Path) -> dict[str, Record]:
    """Problem id -> record, less what a clock measured; no problem is there twice."""
    found = list(read(folder / "records.jsonl"))
    assert len({one.problem_id for one in found}) == len(found)
    return {one.problem_id: replace(one, run_seconds=0.0, ledger=replace(one.ledger, seconds=0.0)) for one in found}


def replayed(pool: Path, direct: Path, tokens: int) -> None:
    """Sees to it that the run and the replay of the pool in the recorded order are the same."""
    replay([str(pool), "budget=shared", f"budget.tokens={tokens}", "n=4", "orders=1"])
    (file,) = pool.glob("replay/*/*.json")
    result, summary = json.loads(file.read_text()), json.loads((direct / "summary.json").read_text())
    found, full = records(direct), records(pool)
    assert result["accuracy"] == summary["accuracy"]
    assert result["spent"] * len(found) == pytest.approx(tokens)
    assert summary["ledger"]["decoded_tokens"] == tokens
    counts = {name: sum(one.stop is not Stop.BUDGET for one in record.candidates) for name, record in found.items()}
    assert (result["least"], result["most"]) == (min(counts.values()), max(counts.values()))
    assert result["least"] < result["most"]
    for name, k in counts.items():
        drawn = [(one.answer, one.tokens, one.stop) for one in found[name].candidates[:k]]
        assert drawn == [(one.answer, one.tokens, one.stop) for one in full[name].candidates[:k]]


def test_it_is_what_the_command_of_the_replay_says(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    pool, direct = start("pool", "selection=majority"), start("direct", *SHARED, "selection=majority")
    summary = json.loads((direct / "summary.json").read_text())
    assert f"{summary['samples']:.1f} per problem" in capsys.readouterr().out
    assert summary["pass_at_k"] == {} and not (direct / "drawn.jsonl").exists()
    assert 0 < summary["ledger"]["seconds"] <= 12 * summary["wall_seconds"]
    replayed(pool, direct, 5000)


def test_killed_and_started_again(start: Start, tmp_path: Path) -> None:
    """SIGKILL in the middle, then half a line as if killed while writing; and once more while records are written."""
    given = [*SCRIPTED, *SHARED, "picture=none", "hydra.run.dir=killed"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "KILLED": "1"}
    ended = subprocess.run([sys.executable, "-m", "ttcs", *given], cwd=tmp_path, env=environment, timeout=600)
    assert ended.returncode == -signal.SIGKILL
    path = tmp_path / "killed" / "drawn.jsonl"
    before = path.read_bytes()
    assert before.count(b"\n") > 0 and (tmp_path / "killed" / "records.jsonl").read_bytes() == b""
    path.write_bytes(before + before[:100])
    expected = records(start("whole", *SHARED))
    components.forget()
    assert records(start("killed", *SHARED)) == expected and not path.exists()
    kept = b"".join(Path("killed/records.jsonl").read_bytes().splitlines(keepends=True)[:7])
    Path("killed/records.jsonl").write_bytes(kept)
    components.forget()
    assert records(start("killed", *SHARED)) == expected
    assert Path("killed/records.jsonl").read_bytes().startswith(kept)


def test_what_was_drawn_belongs_to_its_configuration(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    FAILURE[:] = [EngineError("the engine has died")]
    with pytest.raises(SystemExit, match="2"):
        start("out", *SHARED)
    assert "0 of 12 problems are on record, and the same command goes on from there" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        start("out", *SHARED, "seed=1")
    assert "out belongs to another configuration: seed is 0 there and 1 here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (["budget=shared"], "budget=shared needs budget.tokens=..., those of all problems together"),
        ([*SHARED, "strategy=adaptive_vote"], "budget=shared says how many independent samples there are: it takes"),
        ([*SHARED, "workers=2"], "workers=2 cannot share a budget: budget=shared takes workers=1"),
        ([*SHARED, "dataset.shards=2"], "dataset.shards=2: budget=shared is of the whole problem set, which has to be"),
    ],
)
def test_what_cannot_be_shared_is_refused(
    start: Start, capsys: pytest.CaptureFixture[str], overrides: list[str], line: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        start("out", *overrides)
    error = capsys.readouterr().err
    assert error.startswith(f"error: {line}") and error.count("\n") == 1 and not Path("out").exists()


def test_the_zoo_does_what_the_replay_of_its_pool_says(start: Start) -> None:
    given = "policy=zoo", "prm=zoo", "dataset.limit=6", "n=8"
    pool = start("pool", *given)
    tokens = sum(record.ledger.decoded_tokens for record in records(pool).values()) // 2
    components.forget()
    replayed(pool, start("direct", *given, "budget=shared", f"budget.tokens={tokens}"), tokens)
