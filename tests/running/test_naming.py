"""What a run is called, in its title and by its folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.typed import Main, typed
from ttcs import __main__ as command
from ttcs.config import components
from ttcs.config.identity import PACKAGE
from ttcs.config.paths import here

SCRIPTED = ["policy=scripted", "prm=scripted", "n=2"]
OWN = ["dataset=jsonl", "dataset.path=data/my problems.v2.jsonl"]


@pytest.fixture
def main(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Main:
    monkeypatch.chdir(tmp_path)
    components.forget()
    Path("data").mkdir()
    rows = [{"id": i, "question": f"{i} + 1?", "answer": i} for i in range(2)]
    Path("data/my problems.v2.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return typed("ttcs", command.main, monkeypatch, capsys)


def folders() -> list[str]:
    return sorted(str(path.parent.parent) for path in Path("outputs").rglob("records.jsonl"))


def test_ones_own_file_and_the_prm_that_is_asked(main: Main) -> None:
    code, out, err = main(*SCRIPTED, *OWN)
    assert (code, err) == (0, "")
    assert "policy scripted, PRM scripted, dataset my problems.v2\n" in out
    assert folders() == ["outputs/my-problems.v2_scripted_scripted/best_of_n_weighted_last"]
    assert "level" not in out  # the file has none


def test_a_prm_that_is_not_asked_is_not_named(main: Main) -> None:
    _, out, _ = main(*SCRIPTED, *OWN, "selection=majority")
    assert "policy scripted, dataset my problems.v2\n" in out
    assert folders() == ["outputs/my-problems.v2_scripted/best_of_n_majority_last"]
    main(*SCRIPTED, *OWN, "selection=majority", "strategy=dvts", "n=4")  # the search asks it
    assert folders()[-1] == "outputs/my-problems.v2_scripted_scripted/dvts_majority_last"


def test_ones_own_model(main: Main) -> None:
    shutil.copytree(PACKAGE / "zoo/models/policy_small", "models/My Model-1.5B")
    model = ["policy=custom", "policy.model='models/My Model-1.5B'", "policy.max_tokens=4", "selection=majority", "n=1"]
    code, out, err = main(*model, "dataset.limit=2")
    assert (code, err) == (0, "")
    assert "policy My Model-1.5B, dataset zoo\n" in out
    assert folders() == ["outputs/zoo_My-Model-1.5B/best_of_n_majority_last"]
    (summary,) = Path("outputs").rglob("summary.json")
    assert json.loads(summary.read_text())["policy"] == "My Model-1.5B"


def test_options_that_say_it_all_keep_their_names(main: Main) -> None:
    main(*SCRIPTED, "dataset.limit=2", "selection=majority")
    assert folders() == ["outputs/zoo_scripted_scripted/best_of_n_majority_last"]


@pytest.mark.parametrize("sweep", [[], ["-m"]])
def test_a_folder_named_as_all_once_were_is_found(main: Main, sweep: list[str]) -> None:
    main(*SCRIPTED, *OWN, *sweep)
    (records,) = Path("outputs").rglob("records.jsonl")
    old = Path("outputs/jsonl_scripted_scripted") / records.parent.relative_to(records.parents[2])
    shutil.copytree(records.parent, old)
    shutil.rmtree(records.parents[2])
    before = (old / "records.jsonl").read_bytes()
    code, out, _ = main(*SCRIPTED, *OWN, *sweep)
    assert code == 0 and f"  {old}/records.jsonl\n" in out
    assert [*Path("outputs").rglob("records.jsonl")] == [old / "records.jsonl"]
    assert (old / "records.jsonl").read_bytes() == before


def test_paths_outside_of_the_folder_are_printed_whole(
    main: Main, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("a/b").mkdir(parents=True)
    monkeypatch.chdir("a/b")
    _, out, _ = main(*SCRIPTED, "dataset.limit=2", f"hydra.run.dir={tmp_path}/out")
    assert f"  {tmp_path}/out/records.jsonl\n" in out and ".." not in out
    assert str(here(Path("x/../y"))) == "y"
    assert here(Path("../c")) == tmp_path / "a" / "c"
