from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from resource import RLIMIT_FSIZE, getrlimit, setrlimit

import pytest

from ttcs.core import Stop
from ttcs.errors import UserError
from ttcs.records.record import CandidateRecord, NodeRecord, Record
from ttcs.records.record_file import RecordFile, read
from ttcs.search.ledger import Ledger


def record(problem_id: str = "p", text: str = "so\n\u2028é") -> Record:
    return Record(
        problem_id=problem_id,
        level=2,
        family=None,
        reference="7",
        answer="7",
        correct=True,
        chosen=0,
        run_seconds=1.5,
        ledger=Ledger(decoded_tokens=3),
        candidates=(CandidateRecord(0, "7", 0, 0.5, True, 3, Stop.END, None),),
        tree=(NodeRecord(0, None, text, 3, Stop.END, 0.5),),
    )


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    written = [record("a"), record("b", "two\nlines \ud7ff")]
    with RecordFile(path) as file:
        for one in written:
            file.append(one)
            assert list(read(path))[-1] == one  # a record counts as soon as it is appended
    assert list(read(path)) == written
    assert all(json.loads(line)["problem_id"] for line in path.read_bytes().splitlines())


def test_a_record_of_before_the_sizes_were_written_is_read(tmp_path: Path) -> None:
    row = json.loads(record().to_json())
    del row["policy_parameters"], row["prm_parameters"], row["prm_limit"], row["ledger"]["unread"]
    (tmp_path / "records.jsonl").write_text(json.dumps(row) + "\n")
    (old,) = read(tmp_path / "records.jsonl")
    assert (old.policy_parameters, old.prm_parameters, old.prm_limit, old.ledger.unread) == (None, None, None, 0)
    assert old == record()


def test_a_missing_file_has_no_records(tmp_path: Path) -> None:
    assert list(read(tmp_path / "records.jsonl")) == []


def test_torn_at_any_byte(tmp_path: Path) -> None:
    """Whatever byte the process was killed at: whole records stay, the torn one goes, and appending works again."""
    path = tmp_path / "records.jsonl"
    with RecordFile(path) as file:
        file.append(record("a"))
    whole = path.read_bytes()
    torn = (record("b").to_json() + "\n").encode()
    for cut in range(len(torn)):
        path.write_bytes(whole + torn[:cut])
        assert [one.problem_id for one in read(path)] == ["a"]
        with RecordFile(path) as file:
            assert path.read_bytes() == whole
            file.append(record("c"))
        assert [one.problem_id for one in read(path)] == ["a", "c"]


@pytest.mark.parametrize("size", [10, 1 << 16, (1 << 16) + 1, 300_000])
def test_a_torn_line_of_any_length(tmp_path: Path, size: int) -> None:
    path = tmp_path / "records.jsonl"
    for whole in (b"", record("a").to_json().encode() + b"\n"):
        path.write_bytes(whole + b"x" * size)
        with RecordFile(path):
            assert path.read_bytes() == whole


def test_the_newest_ones(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    with RecordFile(path) as file:
        for name in "abc":
            file.append(record(name))
    with path.open("ab") as torn:
        torn.write(b"{")
    assert [[one.problem_id for one in read(path, last)] for last in (1, 2, 3, 9)] == [
        ["c"],
        ["b", "c"],
        [*"abc"],
        [*"abc"],
    ]


def test_a_line_that_there_is_no_room_for_is_not_torn(tmp_path: Path) -> None:
    """The file system takes half of it; what is appended later is a line of its own."""
    path = tmp_path / "records.jsonl"
    before = getrlimit(RLIMIT_FSIZE)
    with RecordFile(path) as file:
        file.append(record("a"))
        whole = path.read_bytes()
        setrlimit(RLIMIT_FSIZE, (len(whole) + 50, before[1]))
        try:
            with pytest.raises(UserError, match=r"cannot write .*records\.jsonl: File too large"):
                file.append(record("b"))
        finally:
            setrlimit(RLIMIT_FSIZE, before)
        assert path.read_bytes() == whole
        file.append(record("c"))
    assert [one.problem_id for one in read(path)] == ["a", "c"]


def test_a_line_that_is_no_record_is_told(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(record("a").to_json() + "\n" + '{"problem_id": "b"}\n')
    with pytest.raises(UserError, match=r"records\.jsonl:2: not a record"):
        list(read(path))


def test_two_writers_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    with RecordFile(path), pytest.raises(UserError, match="another process"):
        RecordFile(path)
    with RecordFile(path):
        pass


def without_clock(path: Path) -> dict[str, Record]:
    """Problem id -> record, less what a clock measured; no problem is there twice."""
    records = list(read(path))
    assert len({one.problem_id for one in records}) == len(records)
    return {one.problem_id: replace(one, run_seconds=0.0, ledger=replace(one.ledger, seconds=0.0)) for one in records}


def test_killed_and_started_again(tmp_path: Path) -> None:
    """SIGKILL in the middle of a run, then half a line as if killed while writing: the same records in the end."""
    problems = [{"id": f"p{i}", "question": f"{i} + 1?", "answer": str(i + 1), "level": i % 5 + 1} for i in range(60)]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(problem) + "\n" for problem in problems))
    overrides = ["policy=scripted", "policy.capacity=8", "prm=scripted", "dataset=jsonl", "dataset.path=p.jsonl",
                 "dataset.columns.level=level", "strategy=beam_search", "n=16"]  # fmt: skip
    command = [sys.executable, "-m", "ttcs", *overrides]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}

    def start(folder: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*command, f"hydra.run.dir={folder}"], cwd=tmp_path, env=environment)

    whole = start("whole")
    killed, path = start("killed"), tmp_path / "killed" / "records.jsonl"
    while (not path.exists() or path.read_bytes().count(b"\n") < 5) and killed.poll() is None:
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    before = path.read_bytes()
    assert 5 <= before.count(b"\n") < len(problems)
    path.write_bytes(before[: before.rindex(b"\n") + 1] + before[:100])

    assert start("killed").wait() == 0
    assert whole.wait() == 0
    assert path.read_bytes().startswith(before[: before.rindex(b"\n") + 1])  # what was done was not done again
    expected = without_clock(tmp_path / "whole" / "records.jsonl")
    assert without_clock(path) == expected
    assert set(expected) == {problem["id"] for problem in problems}

    summaries = [json.loads((tmp_path / folder / "summary.json").read_text()) for folder in ("whole", "killed")]
    for summary in summaries:
        assert summary.pop("wall_seconds") > 0
        del summary["ledger"]["seconds"]
    assert summaries[0] == summaries[1]
