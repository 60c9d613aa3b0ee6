"""`python -m benchmarks gpu`: what it is asked, what it says, and the goals at a size that is tested."""

from __future__ import annotations

import sys

import pytest

from benchmarks import gpu
from benchmarks.gpu import Run, configured, simulate, table, wanted
from benchmarks.harness import Limit


def asked(arguments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "gpu", *arguments.split()])
    gpu.main(arguments.split())


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("gpu.memory=10e9 --n 8 --problems 1", "16.1 GB of weights do not fit on h100 (10 GB)"),
        ("nosuch=1", "there is no key nosuch; --help lists the groups, --cfg job the keys"),
        ("--n 5", "n=5 is not a multiple of width=4"),
        ("--n 0", "n=0 is not a whole number of at least 1"),
        ("--problems 0", "problems=0 is not a whole number of at least 1"),
        ("--problems x", "argument --problems: invalid int value: 'x'"),
        ("open=0", "open=0 is not a whole number of at least 1"),
        ("--share 0", "--share 0 is not above 0 and at most 1"),
        ("--share 1.5", "--share 1.5 is not above 0 and at most 1"),
        ("--share nan", "--share nan is not above 0 and at most 1"),
    ],
)
def test_bad_input(
    arguments: str, line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit) as end:
        asked(arguments, monkeypatch)
    assert end.value.code == 2 and capsys.readouterr() == ("", f"error: {line}\n")


def test_what_it_says(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked("--strategy dvts --n 8 --problems 2", monkeypatch)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| dvts, n = 8, 2 problems | measured | wanted | met |"
    assert "| most problems open | 2 |  |  |" in lines  # no goal: it is another run


def test_goals_are_those_of_the_run_that_they_were_set_for() -> None:
    goal = wanted("dvts", 256, 60, 0.5, [])
    assert goal == {"seconds": Limit(10.5), "first": Limit(90.0), "read": Limit(1.4)}
    assert wanted("beam_search", 256, 60, 0.5, [])["seconds"] == Limit(11.0)
    assert wanted("best_of_n", 256, 60, 0.5, []) == {}
    for other in ((64, 60, 0.5, []), (256, 8, 0.5, []), (256, 60, 1.0, []), (256, 60, 0.5, ["gpu=h200"])):
        assert wanted("dvts", *other) == {}
    rows = table("title", Run(10.6, 25.0, 1.31, 0.9, 0.99, 200.0, 3).results(goal)).splitlines()[2:]
    assert rows[:3] == [
        "| a problem | 10.6 s | ≤ 10.5 s | **no** |",
        "| until the first record | 25.0 s | ≤ 90 s | yes |",
        "| PRM tokens computed / decoded | 1.31 | ≤ 1.4 | yes |",
    ]
    assert len(rows) == 7


@pytest.mark.slow
@pytest.mark.parametrize(("strategy", "read"), [("dvts", 1.4), ("beam_search", 1.75)])
def test_the_first_record_comes_soon_and_little_is_read_twice(strategy: str, read: float) -> None:
    """read: until a problem has ended nobody knows how large they are, and beam search has six of them open then."""
    run = simulate(configured(strategy, 256), 8, 0.5)
    assert run.first <= 90 and run.read <= read
    assert run.seconds <= 1.25 * gpu.WANTED[strategy]["seconds"].value  # the last problems run beside few others
    assert run.open < 8
