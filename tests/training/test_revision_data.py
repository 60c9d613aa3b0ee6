"""Which attempts stand before a right answer."""

import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.typed import typed
from ttcs.__main__ import main
from ttcs.errors import UserError
from ttcs.records.record_file import RecordFile, read
from ttcs.training.revision_data import Pool, RevisionData, nearest_to

WRONG = [f"wrong {'x' * i}" for i in range(6)]


def data(**changes: object) -> RevisionData:
    return RevisionData(**{"records": [], "out": "", "seed": 0, "attempts": 4} | changes)  # type: ignore[arg-type]


def test_the_nearest_differs_in_the_fewest_characters_and_ties_go_to_the_first() -> None:
    assert nearest_to("1 + 1 = 2", ["2", "1 + 1 = 3", "1 + 1 = 22", "1 + 1 = 20"]) == 1
    assert nearest_to("abc", ["xyz", "abcdefg", "bc"]) == 2


def test_how_many_attempts_is_uniform_and_the_last_is_the_nearest() -> None:
    pool = Pool("question", right=["wrong xxx!"] * 5000, wrong=list(WRONG))
    examples = data().examples("p", pool)
    counts = Counter(len(example.attempts) for example in examples)
    assert sorted(counts) == [0, 1, 2, 3, 4]
    assert all(count == pytest.approx(1000, abs=120) for count in counts.values())
    assert {example.attempts[-1] for example in examples if example.attempts} == {"wrong xxx"}
    others = [other for example in examples for other in example.attempts[:-1]]
    assert all(len({*example.attempts}) == len(example.attempts) for example in examples)  # without replacement
    share = Counter(others)
    assert sorted(share) == sorted({*WRONG} - {"wrong xxx"})
    assert all(count == pytest.approx(len(others) / 5, rel=0.12) for count in share.values())


def test_there_are_no_more_attempts_than_wrong_samples() -> None:
    counts = Counter(len(e.attempts) for e in data().examples("p", Pool("q", ["right"] * 2000, WRONG[:2])))
    assert sorted(counts) == [0, 1, 2]
    assert all(count == pytest.approx(667, abs=90) for count in counts.values())
    assert {e.attempts for e in data().examples("p", Pool("q", ["right"] * 9, []))} == {()}
    assert data().examples("p", Pool("q", [], WRONG)) == []


def test_the_order_of_samples_does_not_matter_and_the_seed_does() -> None:
    right, wrong = [f"right {i}" for i in range(20)], WRONG * 2
    mixed = Pool("q", Random(1).sample(right, 20), Random(2).sample(wrong, 12))
    stage = data(per_problem=7)
    assert stage.examples("p", mixed) == stage.examples("p", Pool("q", right, wrong))
    assert len(stage.examples("p", mixed)) == 7
    assert data(seed=1, per_problem=7).examples("p", mixed) != stage.examples("p", mixed)


def test_a_share_can_come_after_any_other_samples() -> None:
    pool = Pool("q", [f"right {i}" for i in range(18)], list(WRONG))
    examples = [e for seed in range(100) for e in data(seed=seed, mixed=0.25).examples("p", pool)]
    shown = [example for example in examples if any(text.startswith("right") for text in example.attempts)]
    # Of k attempts, all wrong ones by chance: 6/23, 6/23 x 5/22, ...
    chance = sum(1 - c for c in (1, 6 / 23, 30 / 506, 120 / 10626, 360 / 212520)) / 5
    assert len(shown) / len(examples) == pytest.approx(0.25 * chance, abs=0.03)
    assert all(example.answer not in example.attempts for example in shown)
    assert {len(example.attempts) for example in shown} == {1, 2, 3, 4}
    assert {text for example in shown for text in example.attempts} == {*pool.right, *WRONG}


def test_a_bare_question_can_be_answered_as_the_policy_answers_it() -> None:
    pool = Pool("q", [f"right {i}" for i in range(18)], list(WRONG))
    examples = [e for seed in range(60) for e in data(seed=seed, first="any").examples("p", pool)]
    bare = [example.answer.startswith("right") for example in examples if not example.attempts]
    assert sum(bare) / len(bare) == pytest.approx(18 / 24, abs=0.08)
    assert all(example.answer.startswith("right") for example in examples if example.attempts)


def test_where_all_samples_are_right_some_of_them_are_shown() -> None:
    examples = data(mixed=1.0).examples("p", Pool("q", ["right"] * 50, []))
    assert {example.attempts for example in examples} == {("right",) * k for k in range(5)}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    call = typed("ttcs", main, monkeypatch, capsys, "policy=scripted", "prm=scripted", "dataset.limit=30")
    code, _, error = call("n=8", f"hydra.run.dir={tmp_path}/run", "selection=majority")
    assert code == 0, error
    return tmp_path / "run"


def test_from_the_records_of_runs_whatever_their_order(run: Path, tmp_path: Path) -> None:
    data(records=[str(run)], out=str(tmp_path / "a.jsonl")).run()
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    records = {record.problem_id: record for record in read(run / "records.jsonl")}
    right = Counter({name: sum(bool(c.correct) for c in record.candidates) for name, record in records.items()})
    assert Counter(line["problem_id"] for line in lines) == +right
    assert {*lines[0]} == {"problem_id", "question", "attempts", "answer"}
    nodes = {node.text for record in records.values() for node in record.tree}
    assert all(line["answer"].startswith(tuple(nodes)) for line in lines)
    shards = [tmp_path / "shards" / name for name in "ab"]
    mixed = Random(0).sample(list(records.values()), len(records))
    for shard, part in zip(shards, (mixed[::2], mixed[1::2]), strict=True):
        shard.mkdir(parents=True)
        (shard / "config.yaml").write_text((run / "config.yaml").read_text())
        with RecordFile(shard / "records.jsonl") as file:
            for record in part:
                file.append(record)
    data(records=[str(tmp_path / "shards")], out=str(tmp_path / "b.jsonl")).run()
    assert (tmp_path / "b.jsonl").read_text() == (tmp_path / "a.jsonl").read_text()


def test_bad_input_is_said(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run"):
        data(records=[str(tmp_path / "none")]).run()
    file = run / "records.jsonl"
    whole = file.read_text()
    file.write_text(whole.replace('"revises":[]', '"revises":[1]'))
    with pytest.raises(UserError, match="has revisions; samples for training come from strategy=best_of_n"):
        data(records=[str(run)]).run()
    file.write_text(whole.replace('"correct":true', '"correct":null').replace('"correct":false', '"correct":null'))
    with pytest.raises(UserError, match="none of the 30 problems"):
        data(records=[str(run)]).run()
