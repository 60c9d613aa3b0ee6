"""`~` in the paths of every command."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

from analysis import __main__ as analysis
from tests import tiny
from tests.typed import Main, typed
from ttcs import __main__ as command
from ttcs import merge, pools, replay
from ttcs.config import components, home
from ttcs.config.composed import composed
from ttcs.curation import __main__ as curation
from ttcs.models.prompt import _text
from ttcs.planning import __main__ as planning
from ttcs.training import __main__ as training

SCRIPTED = ["policy=scripted", "prm=scripted", "dataset=jsonl", "n=4"]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder, with problems in it, which is not the current one."""
    place = tmp_path / "home"
    (tmp_path / "here").mkdir()
    place.mkdir()
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.chdir(tmp_path / "here")
    components.forget()
    rows = [{"id": i, "question": "?", "answer": i} for i in range(3)]
    (place / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return place


@pytest.fixture
def main(own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Main:
    return typed("ttcs", command.main, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("policy.model=~/m", "policy.model=HOME/m"),
        ('+a.b="~/m"', '+a.b="HOME/m"'),
        ("policy.model=~/a,~/b", "policy.model=HOME/a,HOME/b"),
        ("records=[~/a, '~/b']", "records=[HOME/a, 'HOME/b']"),
        ("+p={big: [custom, policy.model=~/a]}", "+p={big: [custom, policy.model=HOME/a]}"),
        ("~stages.quality", "~stages.quality"),
        ("a=b~/c", "a=b~/c"),
        ("a=~", "a=~"),
        ("-m", "-m"),
    ],
)
def test_where_a_value_begins(own: Path, given: str, read: str) -> None:
    assert home.typed([given]) == [read.replace("HOME", str(own))]


def test_values_of_a_configuration(own: Path) -> None:
    config = {"path": "~/a", "more": [{"path": "~/b"}, 1, None], "text": "not ~/c", "tilde": "~"}
    assert home.at_home(config) == config | {"path": f"{own}/a", "more": [{"path": f"{own}/b"}, 1, None]}


def test_a_run(main: Main, own: Path) -> None:
    """Models and data, and the folder, which is the same as with the home folder written out."""
    shutil.copytree(tiny.folder(), own / "m")
    models = ["policy=custom", "prm=rlhflow", "dataset=jsonl", "policy.max_tokens=20", "n=2", "selection=weighted"]
    paths = ["policy.model=~/m", 'prm.model="~/m"', "dataset.path=~/p.jsonl"]
    assert main(*models, *paths, "hydra.run.dir=~/out")[0] == 0
    assert (own / "out/records.jsonl").is_file() and not Path("~").exists()
    code, _, err = main(*models, *(path.replace("~", str(own)) for path in paths), f"hydra.run.dir={own}/out")
    assert (code, err) == (0, "")


def test_a_sweep(main: Main, own: Path) -> None:
    code, _, err = main(*SCRIPTED, "dataset.path=~/p.jsonl", "hydra.sweep.dir=~/out", "seed=0,1", "-m")
    assert (code, err) == (0, "")
    assert len(list((own / "out").rglob("records.jsonl"))) == 2 and not list(Path().iterdir())


def test_a_yaml_of_ones_own(main: Main, own: Path) -> None:
    """The same run as that of the command line."""
    (own / "conf/experiment").mkdir(parents=True)
    (own / "conf/experiment/mine.yaml").write_text("# @package _global_\ndataset:\n  path: ~/p.jsonl\n")
    assert main("--config-dir=~/conf", "experiment=mine", *SCRIPTED)[0] == 0
    assert main(*SCRIPTED, "dataset.path=~/p.jsonl")[0] == 0
    assert len(list(Path().rglob("records.jsonl"))) == 1 and not Path("~").exists()


@pytest.mark.parametrize(("kind", "more"), [("run", []), ("sweep", ["seed=0,1", "-m"])])
def test_a_folder_in_a_yaml_is_made_by_hydra_itself(main: Main, own: Path, kind: str, more: list[str]) -> None:
    (own / "conf/experiment").mkdir(parents=True)
    text = f"# @package _global_\nhydra:\n  {kind}:\n    dir: ~/out\n"
    (own / "conf/experiment/mine.yaml").write_text(text)
    code, out, err = main("--config-dir=~/conf", "experiment=mine", *SCRIPTED, "dataset.path=~/p.jsonl", *more)
    assert (code, out) == (2, "") and err.startswith(f"error: hydra.{kind}.dir: ~/out in a yaml: write")
    assert not Path("~").exists()


def test_other_commands(
    main: Main, own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(*SCRIPTED, "dataset.path=~/p.jsonl", "hydra.run.dir=~/out")[0] == 0
    GlobalHydra.instance().clear()
    replay.main(["~/out", "selection=majority"])
    merge.main(["~/out", "--out=~/merged"])
    assert list((own / "out/replay").rglob("*.json")) and (own / "merged/records.jsonl").is_file()
    (own / "c.jsonl").write_text('{"problem": "?", "answer": "1", "completions": ["1"]}\n')
    pools.main(["~/c.jsonl", "--out=~/theirs", "selection=majority"])
    assert (own / "theirs/records.jsonl").is_file()
    planning.main([*SCRIPTED, "dataset.path=~/p.jsonl", "plan.pilot=~/out", "plan.out=~/plan.json", "gpu=measured"])
    assert (own / "plan.json").is_file()
    for name, run, arguments, made in (
        ("training", training.main, ["stage=zoo_test", "stage.size=3", "stage.out=~/t.jsonl"], "t.jsonl"),
        ("analysis", analysis.main, ["figure=table", "records=[~/out]", "out=~/figures"], "figures"),
    ):
        code, _, err = typed(name, run, monkeypatch, capsys)(*arguments)
        assert (code, err) == (0, ""), name
        assert (own / made).exists()
    assert not list(Path().iterdir())


def test_curation(own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    call = typed("curation", curation.main, monkeypatch, capsys)
    code, _, err = call("recipe=zoo", "sources.traces.path=~/t.jsonl", "out=~/curated", "stages.difficulty=null")
    assert (code, err) == (2, f"error: dataset file {own}/t.jsonl does not exist\n")
    assert (own / "curated").is_dir() and not Path("~").exists()
    assert composed("policy", ["custom", "policy.model=~/m"]).policy.model == f"{own}/m"
    (own / "t.jinja").write_text("hello")
    monkeypatch.setattr(sys, "argv", ["ttcs"])
    assert _text(home.at_home("~/t.jinja")) == "hello"
