"""What a run says of solutions that were cut off."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from tests.typed import Main, typed
from ttcs import __main__ as command
from ttcs import pools
from ttcs.config import components
from ttcs.core import Stop
from ttcs.records.endings import NO_END, Endings
from ttcs.records.record import NodeRecord, Record
from ttcs.search.ledger import Ledger

ZOO = ["dataset=jsonl", "dataset.path=p.jsonl", "n=4", "selection=majority", "hydra.run.dir=out", "policy.batch_size=8"]


def record(*steps: tuple[int | None, int | None, Stop]) -> Record:
    """steps: parent, tokens and stop of each node."""
    nodes = tuple(NodeRecord(i, parent, "", tokens, stop, None) for i, (parent, tokens, stop) in enumerate(steps))
    return Record("p", None, None, "1", None, False, None, 0.0, Ledger(), (), nodes)


STEPS = (None, 30, Stop.STEP), (0, 10, Stop.LENGTH), (0, 5, Stop.END), (0, 9, Stop.LENGTH), (0, 5, Stop.STEP)


@pytest.mark.parametrize(
    ("steps", "endings"),
    [
        (STEPS, Endings(solutions=3, ended=1, cut=2, at_context=1)),
        ([(None, 0, Stop.LENGTH)] * 3, Endings(too_long=1)),
        ([(None, 40, Stop.STEP), (0, 0, Stop.LENGTH)], Endings(solutions=1, cut=1)),
        ([(None, None, Stop.LENGTH), (None, None, Stop.END)], Endings(solutions=2, ended=1, cut=1)),
        ([(None, 3, Stop.BUDGET), (None, 3, Stop.CUT)], Endings(solutions=2)),
        ([], Endings()),
    ],
)
def test_endings_of_a_record(steps: Any, endings: Endings) -> None:
    assert Endings.of(record(*steps), 40) == endings


def test_what_a_person_is_told() -> None:
    every = [record(*STEPS), record(*[(None, 0, Stop.LENGTH)] * 3), record(*STEPS)]
    assert Endings.total([Endings.of(one, 40) for one in every]).notes(40) == [
        "1 problem does not fit the context",
        "2 of 6 solutions were cut off at max_tokens=40",
        "2 of 6 solutions were cut off where the context ends, before max_tokens=40",
    ]
    assert Endings.of(record(*STEPS), None).notes(None) == ["2 of 3 solutions were cut off"]
    assert Endings(too_long=2).notes(40) == ["2 problems do not fit the context"]
    assert Endings(1, 0, 1).notes(40) == ["1 of 1 solution was cut off at max_tokens=40", NO_END]
    assert Endings(5, 5).notes(40) == []


@pytest.fixture
def main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Main:
    monkeypatch.chdir(tmp_path)
    components.forget()
    rows = [{"id": str(i), "question": f"Compute ${i} + 4$.", "answer": str(i + 4)} for i in range(3)]
    Path("p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return typed("ttcs", command.main, monkeypatch, capsys)


def test_solutions_that_are_cut_off(main: Main) -> None:
    code, out, _ = main(*ZOO, "policy.max_tokens=10")
    assert code == 0
    assert "  12 of 12 solutions were cut off at max_tokens=10\n" in out and "no solution has ended by itself" in out
    summary = json.loads(Path("out/summary.json").read_text())
    assert summary["endings"] == {"solutions": 12, "ended": 0, "cut": 12, "at_context": 0, "too_long": 0}
    assert summary["max_tokens"] == 10


def test_a_search_that_gives_up_what_is_cut_off(main: Main) -> None:
    """Of a search by steps no candidate may be left."""
    code, out, _ = main(*ZOO, "policy.max_tokens=10", "strategy=beam_search")
    assert code == 0 and "solutions were cut off at max_tokens=10" in out


def test_a_problem_that_does_not_fit(main: Main) -> None:
    with Path("p.jsonl").open("a") as file:
        file.write(json.dumps({"id": "long", "question": "many words " * 3000, "answer": "1"}) + "\n")
    code, out, _ = main(*ZOO)
    assert code == 0 and "  1 problem does not fit the context\n" in out


def test_solutions_that_meet_the_end_of_the_context(main: Main) -> None:
    code, out, _ = main(
        *ZOO, "policy=custom", f"policy.model={tiny.folder()}", "policy.max_tokens=9999", "policy.end_at_box=false"
    )
    assert code == 0 and "solutions were cut off where the context ends, before max_tokens=9999" in out


def test_a_model_without_an_end_of_turn(main: Main, tmp_path: Path) -> None:
    model = shutil.copytree(Path(components.__file__).parents[1] / "zoo/models/policy", tmp_path / "model")
    for name in ("tokenizer_config.json", "generation_config.json", "config.json"):
        settings = json.loads((model / name).read_text())
        (model / name).write_text(json.dumps({key: value for key, value in settings.items() if "eos" not in key}))
    code, out, _ = main(*ZOO, f"policy.model={model}", "policy.max_tokens=120")
    assert code == 0
    assert "12 of 12 solutions were cut off at max_tokens=120" in out and NO_END in out


def test_nothing_is_said_where_all_ended(main: Main) -> None:
    code, out, _ = main(*ZOO[:-1], "policy=scripted")
    assert code == 0 and "cut off" not in out and "fit" not in out


def test_pools_of_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = {"problem": "?", "answer": "1", "completions": ["\\boxed{1}", "so"], "finished": [True, False]}
    (tmp_path / "c.jsonl").write_text(json.dumps(row))
    pools.main([str(tmp_path / "c.jsonl"), "--out", str(tmp_path / "out"), "selection=majority"])
    assert "1 of 2 solutions was cut off\n" in capsys.readouterr().out
