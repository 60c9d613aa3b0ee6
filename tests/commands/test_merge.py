"""Shards and runs of several machines become one run, on the scripted pair."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.runs.load import load
from tests.records.test_records import without_clock
from ttcs import __main__ as command
from ttcs import merge as merging
from ttcs.config import components
from ttcs.errors import UserError
from ttcs.merge import main, merge
from ttcs.records import folder
from ttcs.records.record import Record
from ttcs.records.record_file import read

Start = Callable[..., Path]
BASE = [
    "policy=scripted",
    "prm=scripted",
    "dataset=jsonl",
    "dataset.path=p.jsonl",
    "dataset.columns.level=level",
    "n=4",
]
SHARDS = ["dataset.shards=3", "dataset.shard=0,1,2", "-m"]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Runs `python -m ttcs` with the overrides; the last folder that it made or found."""
    monkeypatch.chdir(tmp_path)
    components.forget()
    rows = [{"id": f"p{i}", "question": f"{i} + 1?", "answer": str(i + 1), "level": i % 5 + 1} for i in range(10)]
    Path("p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def run(*overrides: str) -> Path:
        components.forget()  # the dataset may have changed
        monkeypatch.setattr(sys, "argv", ["ttcs", *BASE, *overrides])
        command.main()
        return max(Path("outputs").rglob("summary.json"), key=lambda path: path.stat().st_mtime_ns).parent

    return run


def shards() -> list[Path]:
    return sorted(path.parent for path in Path("outputs").rglob("records.jsonl"))


def rewrite(path: Path, change: Callable[[list[Record]], list[Record]]) -> None:
    path.write_text("".join(record.to_json() + "\n" for record in change(list(read(path)))))


@pytest.mark.parametrize("strategy", ["best_of_n", "dvts"])
def test_shards_become_the_run_that_the_whole_command_finds(start: Start, strategy: str) -> None:
    start(f"strategy={strategy}", *SHARDS)
    parts = shards()
    assert len(parts) == 3
    clocks = [max(record.run_seconds for record in read(part / "records.jsonl")) for part in parts]
    merged = merge(parts)
    before = {path: path.read_bytes() for path in merged.iterdir()}
    assert {path.name for path in before} >= {"config.yaml", "versions.json", "summary.json", "accuracy.png"}
    assert start(f"strategy={strategy}").resolve() == merged.resolve()  # and it ran nothing
    assert {path: path.read_bytes() for path in merged.iterdir()} == before
    summary = json.loads((merged / "summary.json").read_text())
    assert summary["n_problems"] == 10
    assert summary["wall_seconds"] == pytest.approx(sum(clocks))

    shutil.copytree(merged, "merged")
    shutil.rmtree(merged)
    whole = start(f"strategy={strategy}")
    assert whole.resolve() == merged.resolve()
    assert without_clock(Path("merged/records.jsonl")) == without_clock(whole / "records.jsonl")
    for key in ("accuracy", "ci95", "by_level", "pass_at_k"):
        assert summary[key] == json.loads((whole / "summary.json").read_text())[key]


def test_a_run_that_begins_during_a_merge_loses_nothing(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    start(*SHARDS)
    parts, check = shards(), merging._check

    def meanwhile(*arguments: Any) -> set[str]:
        done = check(*arguments)
        start()
        return done

    monkeypatch.setattr(merging, "_check", meanwhile)
    with pytest.raises(UserError, match="was begun while its parts were read: merge again"):
        merge(parts[:2])
    monkeypatch.setattr(merging, "_check", check)
    assert len(list(read(merge(parts[:2]) / "records.jsonl"))) == 10


def test_analysis_reads_a_merged_run(start: Start) -> None:
    start(*SHARDS)
    records = load(merge(shards()))
    assert bool(records.runs["finished"].iloc[0]) and len(records.problems) == 10
    assert len(records.candidates) == 40


def test_a_shard_that_is_missing_is_searched_by_the_whole_command(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    start(*SHARDS)
    merged = merge(shards()[:2])
    kept = (merged / "records.jsonl").read_bytes()
    done = len(kept.splitlines())
    assert not (merged / "summary.json").exists()
    assert f"{10 - done} of 10 problems are missing" in capsys.readouterr().out
    assert start().resolve() == merged.resolve()
    assert (merged / "records.jsonl").read_bytes().startswith(kept)
    assert len(list(read(merged / "records.jsonl"))) == 10


def test_a_later_part_is_added(start: Start) -> None:
    start(*SHARDS)
    first, second, third = shards()
    merged = merge([first, second])
    clock = max(record.run_seconds for record in read(merged / "records.jsonl"))
    assert merge([third], merged) == merged
    records = list(read(merged / "records.jsonl"))
    assert len(records) == 10 and (merged / "summary.json").exists()
    assert max(record.run_seconds for record in records) > clock
    before = (merged / "records.jsonl").read_bytes()
    merge([first, second, third])
    assert (merged / "records.jsonl").read_bytes() == before  # nothing twice, and no seconds either


def test_two_machines_with_some_problems_in_common(start: Start) -> None:
    whole = start()
    shutil.copytree(whole, "a")
    shutil.copytree(whole, "b")
    rewrite(Path("a/records.jsonl"), lambda records: records[:6])
    rewrite(Path("b/records.jsonl"), lambda records: records[4:])
    other = Path("b/records.jsonl").read_bytes()
    Path("b/records.jsonl").write_bytes(other + other[:50])  # torn
    merge([Path("a"), Path("b")], Path("c"))
    assert without_clock(Path("c/records.jsonl")) == without_clock(whole / "records.jsonl")
    assert Path("b/records.jsonl").read_bytes() == other + other[:50]  # a part is only read
    with pytest.raises(UserError, match="a is not named after its configuration: say with --out"):
        merge([Path("a"), Path("b")])


def test_what_the_luck_of_caches_decides_may_differ(start: Start) -> None:
    whole = start()
    shutil.copytree(whole, "a")
    rewrite(
        Path("a/records.jsonl"),
        lambda records: [
            replace(one, ledger=replace(one.ledger, cached_tokens=one.ledger.cached_tokens + 3)) for one in records
        ],
    )
    assert merge([whole, Path("a")], Path("c")) == Path("c")


def test_two_results_of_one_problem_are_refused(start: Start) -> None:
    whole = start()
    shutil.copytree(whole, "a")
    rewrite(Path("a/records.jsonl"), lambda records: [replace(records[0], answer="another"), *records[1:]])
    with pytest.raises(UserError, match=r"problem p\d differs between .* and a/records\.jsonl"):
        merge([whole, Path("a")], Path("c"))
    assert not Path("c").exists()


def test_other_configurations_are_refused_by_name(start: Start) -> None:
    start(*SHARDS)
    parts = shards()
    other = start("seed=1", "dataset.shards=3", "dataset.shard=1")
    with pytest.raises(UserError, match=f"these are not parts of one run: seed is 0 in {parts[0]} and 1 in {other}"):
        merge([parts[0], other])
    before = (other / "records.jsonl").read_bytes()
    with pytest.raises(UserError, match=r"belongs to another configuration: .*; choose another --out"):
        merge(parts, other)
    assert (other / "records.jsonl").read_bytes() == before


def test_a_dataset_that_changed_is_refused_and_one_that_is_gone_leaves_no_summary(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    start(*SHARDS)
    rows = Path("p.jsonl").read_text()
    Path("p.jsonl").write_text(rows.replace('"answer": "3"', '"answer": "4"'))
    components.forget()
    with pytest.raises(UserError, match="problem p2 is not that of the dataset, which must have changed"):
        merge(shards())
    Path("p.jsonl").unlink()
    components.forget()
    parts = shards()
    merged = merge(parts)
    assert len(list(read(merged / "records.jsonl"))) == 10 and not (merged / "summary.json").exists()
    assert "whether problems are missing is unknown: dataset file p.jsonl" in capsys.readouterr().out


def test_bad_input_gets_one_line(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    with pytest.raises(SystemExit, match="2"):
        main(["empty"])
    assert capsys.readouterr().err == "error: empty is not the folder of a run: it has no records.jsonl\n"


def test_killed_half_way(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGKILL while the records are written: no records are there, and the same merge works again."""
    start(*SHARDS)
    slow = (
        "import sys, time; from pathlib import Path; from ttcs import merge; from ttcs.records import record\n"
        "once = record.Record.to_json; calls = []\n"
        "def slowly(one):\n"
        "    calls.append(1)\n"
        "    if len(calls) > 14: Path('writing').touch(); time.sleep(60)\n"  # 10 are compared first
        "    return once(one)\n"
        "record.Record.to_json = slowly\n"
        "merge.main(sys.argv[1:])\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen([sys.executable, "-c", slow, *map(str, shards()), "--out", "c"], env=environment)
    while not Path("writing").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    parts = shards()
    assert not any(Path("c") in part.parents or part == Path("c") for part in parts) and Path("c").is_dir()
    assert not Path("c/records.jsonl").exists() and not Path("c/summary.json").exists()
    merge(parts, Path("c"))
    assert len(list(read(Path("c/records.jsonl")))) == 10


def test_lines_that_fail_leave_no_file(tmp_path: Path) -> None:
    def lines() -> list[str]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        folder.write_lines(tmp_path / "f", (line for _ in range(1) for line in lines()))
    assert list(tmp_path.iterdir()) == []
