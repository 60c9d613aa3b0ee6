"""Records written when modules had other names: tests/golden/earlier_run, best-of-N of the scripted pair at n = 8."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from analysis.runs.load import load
from tests.typed import typed
from ttcs import __main__ as command
from ttcs import merge, replay
from ttcs.config.identity import digest
from ttcs.config.moved import FIRST, MOVED, current, first
from ttcs.records.stored import Stored

EARLIER = Path(__file__).parents[1] / "golden" / "earlier_run"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(EARLIER, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return Path("run")


def test_the_command_goes_on_with_it(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (run / "records.jsonl").read_text().splitlines(keepends=True)
    (run / "records.jsonl").write_text("".join(whole[:2]))
    words = ["dataset=jsonl", "dataset.path=problems.jsonl", "policy=scripted", "prm=scripted", "n=8"]
    code, _, error = typed("ttcs", command.main, monkeypatch, capsys)(*words, "hydra.run.dir=run")
    assert code == 0, error
    again = (run / "records.jsonl").read_text().splitlines(keepends=True)
    assert again[:2] == whole[:2]
    one, two = json.loads(again[2]), json.loads(whole[2])
    assert one["tree"] == two["tree"] and one["candidates"] == two["candidates"]


def test_it_is_replayed(run: Path) -> None:
    replay.main(["run", "n=4"])
    (file,) = (run / "replay").rglob("*.json")
    now, then = json.loads(file.read_text()), json.loads(Path("replay.json").read_text())
    then.pop("cost")  # that of a part is reckoned from what is read, which it was not
    assert {key: now[key] for key in then} == then
    assert file.name == "n=4-18d62431.json"  # named after its method, as it was then


def test_it_is_merged_and_analysed(run: Path) -> None:
    assert merge.merge([run], Path("merged")) == Path("merged")
    records = load(Path("merged"))
    assert list(records.runs["strategy"]) == ["best_of_n"] and len(records.problems) == 3
    assert records.runs["settings"].iloc[0] == "reduction=last"


def test_folders_are_named_as_they_were() -> None:
    config = Stored.of(EARLIER / "run").config
    assert config["selection"]["_target_"] == "ttcs.choice.selection.Weighted"
    assert digest(config) == digest(first(config)) == "d154c1ed"


def test_every_name_goes_there_and_back() -> None:
    assert len(FIRST) == len(MOVED)
    node = {
        "a": [{"_target_": "ttcs.ledger.Budget", "tokens": 3}],
        "b._target_": "ttcs.dataset.jsonl",
        "c": "ttcs.ledger.x",
    }
    assert current(node)["a"] == [{"_target_": "ttcs.search.budget.Budget", "tokens": 3}]
    assert current(node)["b._target_"] == "ttcs.problems.dataset.jsonl"
    assert current(node)["c"] == "ttcs.ledger.x"  # no target
    assert first(current(node)) == node
