"""The command: a data set from files, shards, kills, and the one line that answers a mistake."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import datasets
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.curation.rows import line, read, write
from tests.typed import typed
from ttcs.config.components import build
from ttcs.config.options import CONF
from ttcs.curation import __main__ as command
from ttcs.curation.funnel import Funnel
from ttcs.curation.stage import passes

ROOT = Path(__file__).parents[2]
TEST = "How many apples are left when seven of nine are eaten?"


@pytest.fixture
def main(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "test.jsonl", [{"id": 1, "question": TEST, "answer": "2"}])
    write(tmp_path / "traces.jsonl", lines())
    return typed("ttcs.curation", command.main, monkeypatch, capsys, *GIVEN)


GIVEN = (
    "recipe=zoo",
    "dataset@stages.decontaminate.tests.zoo=jsonl",
    "stages.decontaminate.tests.zoo.path=test.jsonl",
    "sources.traces.path=traces.jsonl",
    "out=out",
    "processes=1",
    "stages.sample.size=10",
)


def lines(n=60):
    """One bad row of each kind among sound ones."""
    bad = {
        3: {"answer": None},
        4: {"thinking": "Error: overloaded"},
        11: {"question": "What is this? ![](x.png)"},
        12: {"question": "3. What next?"},
        20: {"question": f"Here: {TEST}"},
        30: {"question": "How much is 29 and one more???", "thinking": "Too short."},
        40: {"domain": None},
    }
    return [line(number, **bad.get(number, {})) for number in range(n)]


FUNNEL = {
    "failed": {"no answer": 1, "error message": 1},
    "quality": {"image": 1, "numbering": 1},
    "decontaminate": {"in zoo": 1},
    "duplicates": {"duplicate": 1},
    "difficulty": {},
    "domain": {"no domain": 1},
    "length": {},
    "sample": {"not drawn": 43},
}


def test_a_data_set_its_funnel_and_its_card(main, tmp_path):
    code, out, err = main()
    assert (code, err) == (0, "")
    assert "decontaminate" in out and "out/data.jsonl" in out
    funnel = Funnel.read(tmp_path / "out" / "funnel.csv")
    assert (funnel.rows, {stage: dict(reasons) for stage, reasons in funnel.dropped.items()}) == (60, FUNNEL)
    data, rejected = read(tmp_path / "out" / "data.jsonl"), read(tmp_path / "out" / "rejected.jsonl")
    assert list(data[0]) == ["id", "question", "thinking", "answer", "reference", "domain", "source", "length"]
    assert (len(data), len(rejected)) == (10, 50)
    assert {row["id"] for row in data + rejected} == {f"r{number}" for number in range(60)}
    assert {row["id"]: (row["stage"], row["reason"]) for row in rejected if row["stage"] != "sample"} == {
        "r3": ("failed", "no answer"),
        "r4": ("failed", "error message"),
        "r11": ("quality", "image"),
        "r12": ("quality", "numbering"),
        "r20": ("decontaminate", "in zoo"),
        "r30": ("duplicates", "as traces/r29"),
        "r40": ("domain", "no domain"),
    }
    given = {row["id"]: row for row in lines()}
    assert all(row["thinking"] == given[row["id"]]["thinking"].strip() for row in data)
    card = (tmp_path / "out" / "README.md").read_text()
    for text in (
        "10 of 60 questions",
        "Seed 0",
        "| decontaminate |  | 1 | 55 |",
        "| domain 1 |",
        "size: 10",
        "| length |",
    ):
        assert text in card
    loaded = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert loaded["train"].num_rows == 10  # the rejected rows are not taken for data


def test_a_finished_data_set_only_shows_its_table(main, tmp_path):
    shown = main()[1]
    data = (tmp_path / "out" / "data.jsonl").stat().st_mtime_ns
    (tmp_path / "traces.jsonl").unlink()
    assert main() == (0, shown, "")
    assert (tmp_path / "out" / "data.jsonl").stat().st_mtime_ns == data


def result(out):
    with (out / "funnel.csv").open(newline="") as file:
        return read(out / "data.jsonl"), read(out / "rejected.jsonl"), list(csv.reader(file))


POLICY = '+stages.difficulty.policies.a=[scripted, "policy.spread=1.0"]'
SIZE = "stages.sample.size=5"


def test_sharded_is_unsharded(main, tmp_path):
    """With a pass before and one after the duplicates, which need all rows; whoever is last goes on."""
    assert main(POLICY, SIZE)[0] == 0
    for shard in (1, 0, 2):
        code, out, _ = main(POLICY, SIZE, "out=parts", "shards=3", f"shard={shard}")
        waits = {1: "when 0, 2 are", 0: "when 2 are", 2: "when 0, 1 are"}[shard]
        assert code == 0 and waits in out
    assert "when 1 are" in main(POLICY, SIZE, "out=parts", "shards=3", "shard=0")[1]
    assert "README.md" in main(POLICY, SIZE, "out=parts", "shards=3", "shard=1")[1]
    assert result(tmp_path / "parts") == result(tmp_path / "out")
    asked = [row["key"] for path in (tmp_path / "parts" / "asked").iterdir() for row in read(path)]
    assert len(asked) == len(set(asked)) == len(read(tmp_path / "out" / "asked" / "difficulty-0-a.jsonl"))


def test_processes_change_nothing(main, tmp_path):
    main()
    assert main("out=two", "processes=2")[0] == 0
    assert result(tmp_path / "two") == result(tmp_path / "out")


@given(kept=st.integers(0, 10_000))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_part_that_was_cut_anywhere_goes_on(main, tmp_path, kept):
    if not (tmp_path / "out").exists():
        main()
    before, part = result(tmp_path / "out"), tmp_path / "out" / "work" / "0" / "0.rows"
    whole = part.read_bytes()
    part.write_bytes(whole[: kept * len(whole) // 10_000])
    for name in ("README.md", "data.jsonl", "work/0/choices.json"):
        (tmp_path / "out" / name).unlink()
    assert main()[0] == 0
    assert part.read_bytes() == whole
    assert result(tmp_path / "out") == before


def test_killed_at_any_moment(tmp_path):
    """A real process, and its own, ended by SIGKILL again and again."""
    write(tmp_path / "test.jsonl", [{"id": 1, "question": TEST, "answer": "2"}])
    rows = [line(number, thinking="word " * 4000) for number in range(1500)]
    write(tmp_path / "traces.jsonl", rows)
    call = [sys.executable, "-m", "ttcs.curation", *GIVEN, "processes=2", POLICY.replace("1.0", "2.0")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    part, kills = tmp_path / "out" / "work" / "0" / "0.rows", 0
    for wanted in (1, 3_000_000, 20_000_000):
        child = subprocess.Popen(call, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while child.poll() is None and time.monotonic() < deadline:
            if part.exists() and part.stat().st_size > wanted:
                break
            time.sleep(0.002)
        if child.poll() is None:
            os.kill(child.pid, signal.SIGKILL)
            kills += 1
        child.wait()
    assert kills
    done = subprocess.run(call, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    subprocess.run([*call, "out=whole"], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, check=True)
    assert result(tmp_path / "out") == result(tmp_path / "whole")
    ids = [row["id"] for row in [*result(tmp_path / "out")[0], *result(tmp_path / "out")[1]]]
    assert sorted(ids) == sorted(row["id"] for row in rows)


def test_sources_of_several_kinds(main, tmp_path):
    names = {"question": "task", "thinking": "trace", "answer": "attempt", "domain": "field"}
    table = pd.DataFrame([line(number) for number in range(100, 110)]).rename(columns=names)
    table["trace"] = [[trace, "another"] for trace in table["trace"]]
    table["wrong"] = ["timeout", *[None] * 9]
    table.to_parquet(tmp_path / "more.parquet")
    columns = [f"sources.more.columns.{name}={column}" for name, column in names.items()]
    more = ["+source@sources.more=file", "sources.more.path=more.parquet", *columns, "sources.more.columns.error=wrong"]
    assert main(*more, "subset@stages.sample=full", "~stages.sample.size")[0] == 2  # full has no size
    assert main(*more, "stages.sample=null")[0] == 0
    data = read(tmp_path / "out" / "data.jsonl")
    mine = [row for row in data if row["source"] == "more"]
    assert [row["id"] for row in mine] == [f"r{number}" for number in range(101, 110)]
    assert mine[0]["thinking"] == line(101)["thinking"].strip()
    assert len(data) == 53 + 9


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["sources.traces.path=no.jsonl"], "dataset file no.jsonl does not exist"),
        (
            ["sources.traces.path=bare.jsonl"],
            "source traces has no reasoning traces (sources.traces.columns.thinking): ",
        ),
        (["sources.traces.path=empty.jsonl"], "column thinking of its 2 rows is empty"),
        (["sources.traces.path=twice.jsonl"], "twice.jsonl:2: a second row with id r1 in source traces"),
        (
            ["sources.traces.columns.reference=gold"],
            "traces.jsonl:1: no column gold (there are: id, question, thinking,",
        ),
        (["sources.traces.name=x"], "there is no key sources.traces.name (nearest: sources.traces.path"),
        (["stages.sample.size=1000"], "size=1000, but only 53 rows are left in 3 domains"),
        (["+stages.sample.weights.logic=1"], "weights name logic, a domain with 0 rows; there are: domain 0 1"),
        (["shards=2", "shard=2"], "shard=2 is not one of 0 ... 1 (shards=2)"),
        (["processes=0"], "processes=0 is not a whole number of at least 1 and at most 1024"),
        (["shards=0"], "shards=0 is not a whole number of at least 1"),
        (["stages.failed.within=-1"], "stages.failed.within=-1 is not a whole number of at least 1"),
        (["stages.decontaminate.tests.zoo.limit=0"], "stages.decontaminate.tests.zoo.limit=0 is not a whole number"),
        (['+stages.difficulty.policies.a=[zoo,"policy.batch_size=0"]'], "policy.batch_size=0 is not a whole number"),
        (["+stages.difficulty.policies.a=[zoo,policy.top_p=1]"], """'+stages.difficulty.policies.a=[zoo,"policy.t"""),
        (["seed=${oc.env:NOPE}"], "seed: Environment variable 'NOPE' not found"),
        (["--resolve"], "--resolve goes with --cfg"),
        (["out=a, b"], """if it is one text, quote it: 'out="a, b"'"""),
        (["subset@stages.sample=longer"], "subset has no option longer (nearest: longest)"),
        (["recipe=s2"], "recipe has no option s2 (nearest: s1)"),
        (["stages.smaple.size=3"], "there is no key stages.smaple.size (nearest: stages.sample.size"),
        (["stages.sample.size=ten"], "stages.sample.size=ten is not a whole number"),
        (["+stages.difficulty.policies.a=[zo]"], "policy has no option zo (nearest: zoo"),
        (["stages.difficulty.verdicts=[v.jsonl]"], "file of verdicts v.jsonl does not exist"),
        (["~stages.length"], "row traces/r0 was not measured: the stage length belongs before the sampling"),
    ],
)
def test_bad_input_gets_one_line(main, tmp_path, arguments, line):
    sound = lines(2)
    write(tmp_path / "bare.jsonl", [{"id": 1, "question": "?", "answer": "1"}])
    write(tmp_path / "empty.jsonl", [row | {"thinking": None} for row in sound])
    write(tmp_path / "twice.jsonl", [sound[1], sound[1]])
    code, _, err = main(*arguments)
    assert code == 2
    assert err.startswith("error: ") and err.count("\n") == 1
    assert line in err
    assert not (tmp_path / "out" / "data.jsonl").exists()


def test_stages_in_another_order(main, tmp_path):
    """Duplicates first, of which the longest stays: what is drawn may then be another."""
    assert main("order=[duplicates,failed,length,sample]", "subset@stages.sample=longest")[0] == 0
    assert list(Funnel.read(tmp_path / "out" / "funnel.csv").dropped) == ["duplicates", "failed", "length", "sample"]
    assert "order names short, but there is no stages.short; there are failed, quality" in main("order=[short]")[2]


@pytest.mark.parametrize("streaming", ["true", "false"])
def test_a_dataset_as_on_the_hub(main, tmp_path, monkeypatch, streaming):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    (tmp_path / "theirs").mkdir()
    write(tmp_path / "theirs" / "train.jsonl", lines())
    hub = [
        "+source@sources.more=hub",
        f"sources.more.name={tmp_path / 'theirs'}",
        f"sources.more.streaming={streaming}",
    ]
    assert main(*hub, "~sources.traces")[0] == 0
    funnel = Funnel.read(tmp_path / "out" / "funnel.csv")
    assert {stage: dict(reasons) for stage, reasons in funnel.dropped.items()} == FUNNEL


def options():
    return [(group, file.stem) for group in ("domain", "length", "subset") for file in (CONF / group).glob("*.yaml")]


@pytest.mark.parametrize(("group", "option"), sorted(options()))
def test_every_option_is_built(group, option):
    place = "sample" if group == "subset" else group
    with initialize_config_dir(str(CONF), version_base="1.3"):
        model = ["stages.length.measure.model=m"] if option == "tokens" else []
        config = compose("curation", [f"{group}@stages.{place}={option}", *model])
        assert passes({place: build(config, f"stages.{place}")}) != passes({})


def test_what_drops_everything_is_told(main, tmp_path):
    code, _, err = main("stages.sample=null", "stages.failed.patterns=[.]")
    assert (code, err) == (2, "error: none of 60 rows is left; out/rejected.jsonl says why\n")
    assert len(read(tmp_path / "out" / "rejected.jsonl")) == 60


@pytest.mark.parametrize(("error", "kept"), [(False, True), (0, True), ("None", True), (True, False), ("429", False)])
def test_a_column_that_only_says_whether_there_was_an_error(main, tmp_path, error, kept):
    write(tmp_path / "traces.jsonl", [line(number, failed=error) for number in range(12)])
    code, _, err = main("sources.traces.columns.error=failed", "stages.sample.size=5")
    assert (code == 0) == kept and ("only 0 rows are left" in err) != kept


def test_what_models_said_is_of_one_configuration_too(main, tmp_path):
    assert main("stages.sample=null", "order=[quality]")[0] == 0
    (tmp_path / "out" / "asked").mkdir()
    shutil.rmtree(tmp_path / "out" / "work")
    (tmp_path / "out" / "README.md").unlink()
    code, _, err = main("stages.sample=null", "order=[failed]")
    assert code == 2 and "belongs to another configuration" in err
    assert err.endswith("choose another out; out/asked can be handed on (stages.difficulty.verdicts)\n")


def test_a_folder_of_another_configuration_is_kept(main, tmp_path):
    main()
    before = result(tmp_path / "out")
    code, _, err = main("seed=1")
    assert code == 2 and err.startswith("error: out belongs to another configuration: seed is 0 there and 1 here")
    assert result(tmp_path / "out") == before
    assert main("processes=2")[0] == 0  # how many of them work changes nothing
    shutil.rmtree(tmp_path / "out" / "work")
    assert main()[0] == 0 and main("seed=1")[0] == 2


def test_help_and_the_recipe_of_the_paper(monkeypatch, capsys):
    main = typed("ttcs.curation", command.main, monkeypatch, capsys)
    code, out, _ = main("--help")
    assert code == 0
    assert "subset@stages.sample" in out and "* s1" in out
    assert out.count("* math500") == 1
    code, out, _ = main("recipe=s1", "--cfg", "job")
    assert "Qwen/Qwen2.5-32B-Instruct" in out and "size: 1000" in out


@pytest.mark.parametrize("option", ["s1", "diverse", "longest", "random"])
def test_every_subset_has_as_many_rows_as_asked_for(main, tmp_path, option):
    assert main(f"subset@stages.sample={option}")[0] == 0
    assert len(read(tmp_path / "out" / "data.jsonl")) == 10


def test_half_a_character_is_no_reason_to_stop(main, tmp_path):
    text = json.dumps(line(1)).replace("Count", "\\ud800Count")
    (tmp_path / "traces.jsonl").write_text(text + "\n" + json.dumps(line(2)) + "\n")
    assert main("stages.sample=null")[0] == 0
    assert read(tmp_path / "out" / "rejected.jsonl")[0]["reason"] == "encoding"
