import json
from pathlib import Path

import pytest

from ttcs.choice.selection import Majority
from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.search.budget import Budget
from ttcs.search.scheduler import run
from ttcs.training.exercises import train_exercises
from ttcs.training.monte_carlo import MonteCarlo, answer, labelled
from ttcs.training.rollout_file import RolloutFolder
from ttcs.training.rollouts import Rollouts, _no_prm
from ttcs.zoo.generator import Arithmetic


def search(problems, samples=4, rollouts=8, **settings):
    strategy = MonteCarlo(samples, rollouts, 0.0, 1.0)
    policy = ScriptedPolicy(**settings)
    return list(run(strategy, Majority(), problems, policy, _no_prm, Budget(), 0))


def test_labels_converge_to_the_known_value_of_a_policy():
    """Four steps, each right with probability 0.8: from a right first step 0.8^3 of the continuations end well."""
    problems = [Problem(f"p{i}", "question", "1", 1) for i in range(60)]
    outcomes = search(problems, samples=1, rollouts=40, min_depth=4, max_depth=4, accuracy=[0.8] * 5)
    firsts, wrong, lasts = [], [], []
    for outcome in outcomes:
        for line in labelled(outcome, MonteCarlo(1, 40, 0.0, 1.0)):
            right = [" err " not in "".join(line["steps"][: d + 1]) for d in range(len(line["steps"]))]
            (firsts if right[0] else wrong).append(line["labels"][0])
            lasts.append(line["labels"][-1] == float(line["correct"]))
    assert sum(firsts) / len(firsts) == pytest.approx(0.8**3, abs=0.06)
    assert set(wrong) == {0.0}
    assert all(lasts)


def test_the_first_label_is_the_share_of_its_rollouts_and_the_sample():
    (outcome,) = search([Problem("p", "question", "1", 1)], samples=1, rollouts=3)
    (line,) = labelled(outcome, MonteCarlo(1, 3, 0.0, 1.0))
    assert (4 * line["labels"][0]).is_integer()
    assert line["labels"][-1] in (0.0, 1.0)


def test_samples_without_an_answer_are_dropped_and_nothing_is_rolled_out_from_them():
    """Solutions of 3 to 6 steps of 20 tokens, cut at 70: some end, some do not."""
    problems = [Problem(f"p{i}", "question", "1", 1) for i in range(20)]
    outcomes = search(problems, samples=8, rollouts=2, max_tokens=70)
    kept = [[sample for sample in outcome.candidates[:8] if answer(sample) is not None] for outcome in outcomes]
    assert 0 < sum(map(len, kept)) < 160
    for outcome, own in zip(outcomes, kept, strict=True):
        lines = list(labelled(outcome, MonteCarlo(8, 2)))
        assert [line["steps"] for line in lines] == [[step.text for step in sample.steps] for sample in own]
        assert all(r"\boxed" in line["steps"][-1] for line in lines)
        prefixes = {sample.prefix(d).tokens for sample in own for d in range(1, len(sample.steps))}
        assert len(outcome.candidates) == 8 + 2 * len(prefixes)


DATASET = {
    "_target_": "ttcs.training.exercises.train_exercises",
    "seed": 0,
    "size": 6,
    "problems": {"_target_": "ttcs.zoo.generator.Arithmetic"},
}


def stage(out: Path, **changes):
    settings = {
        "out": str(out),
        "dataset": DATASET,
        "policy": {"_target_": "ttcs.policies.scripted.ScriptedPolicy"},
        "search": {
            "_target_": "ttcs.training.monte_carlo.MonteCarlo",
            "samples": 2,
            "rollouts": 2,
            "hot": 0.5,
            "hot_temperature": 1.2,
        },
        "seed": 0,
        "shard": 0,
        "shards": 2,
    }
    return Rollouts(**(settings | changes))


@pytest.mark.parametrize("torn", [1, 20, 400])
def test_a_killed_shard_goes_on_without_losing_or_repeating_a_problem(tmp_path, torn):
    out = tmp_path / "0.jsonl"
    stage(out).run()
    whole = out.read_text()
    out.write_text(whole[:-torn])
    stage(out).run()
    assert list(map(without_seconds, out.read_text().splitlines())) == list(map(without_seconds, whole.splitlines()))


def without_seconds(line):
    row = json.loads(line)
    row.get("ledger", {}).pop("seconds", None)
    return json.dumps(row)


def test_the_file_says_what_it_was_made_with_and_what_each_problem_cost(tmp_path, capsys):
    out = tmp_path / "0.jsonl"
    stage(out, policy={"_target_": "ttcs.policies.scripted.ScriptedPolicy", "max_tokens": 70}).run()
    first, *lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert first["settings"]["policy.max_tokens"] == 70
    closing = [line for line in lines if "done" in line]
    assert {line["done"] for line in closing} == {"rollout-0", "rollout-2", "rollout-4"}
    assert sum(line["samples"] for line in closing) == 6
    decoded = sum(line["ledger"]["decoded_tokens"] for line in closing)
    assert decoded > 0
    said = capsys.readouterr().out
    assert f"3 problems, 6 samples, {sum(line['dropped'] for line in closing)} of them dropped" in said
    assert f"{decoded} tokens decoded" in said


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"policy": {"_target_": "ttcs.policies.scripted.ScriptedPolicy", "seed": 1}}, "policy.seed is absent there"),
        ({"seed": 1}, "seed is 0 there and 1 here"),
        ({"shards": 3}, "shards is 2 there and 3 here"),
    ],
)
def test_a_file_of_other_settings_is_refused_and_kept(tmp_path, changes, named):
    out = tmp_path / "0.jsonl"
    stage(out).run()
    before = out.read_text()
    with pytest.raises(UserError, match=f"made with other settings: {named}"):
        stage(out, **changes).run()
    assert out.read_text() == before


def test_a_batch_size_is_no_other_setting_and_a_finished_file_loads_no_policy(tmp_path):
    out = tmp_path / "0.jsonl"
    stage(out).run()
    before = out.read_text()
    stage(out, policy={"_target_": "ttcs.policies.scripted.ScriptedPolicy", "batch_size": 7}).run()  # has no such field
    assert out.read_text() == before


def test_a_file_without_settings_can_be_trained_on_but_not_continued(tmp_path):
    out = tmp_path / "0.jsonl"
    stage(out).run()
    out.write_text("".join(out.read_text().splitlines(keepends=True)[1:]))
    assert list(RolloutFolder(str(tmp_path)).solutions())
    with pytest.raises(UserError, match="does not say what it was made with"):
        stage(out).run()


def test_problems_without_an_answer_are_said(tmp_path):
    path = tmp_path / "problems.jsonl"
    path.write_text('{"question": "?"}\n{"question": "!"}\n')
    columns = dict.fromkeys(("id", "answer", "level", "family"))
    dataset = {
        "_target_": "ttcs.problems.dataset.jsonl",
        "path": str(path),
        "columns": {"_target_": "ttcs.problems.columns.Columns", "question": "question", **columns},
        "limit": None,
        "shard": 0,
        "shards": 1,
    }
    with pytest.raises(UserError, match="2 of 2 problems have no reference answer"):
        stage(tmp_path / "0.jsonl", dataset=dataset).run()


def test_solutions_come_back_as_they_were_labelled(tmp_path):
    stage(tmp_path / "0.jsonl").run()
    stage(tmp_path / "1.jsonl", shard=1).run()
    found = list(RolloutFolder(str(tmp_path)).solutions())
    assert {solution.problem.id for solution in found} == {f"rollout-{i}" for i in range(6)}
    questions = {problem.id: problem.question for problem in train_exercises(0, 6, Arithmetic())}
    assert all(questions[solution.problem.id] == solution.problem.question for solution in found)
    assert all(len(solution.steps) == len(solution.labels) for solution in found)


def test_a_source_can_be_some_files_of_a_folder(tmp_path):
    line = {"problem_id": "p", "question": "q", "steps": ["s"], "labels": [1.0]}
    for name in ("made", "samples_0"):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(line | {"question": name}) + "\n")

    def questions(**files):
        return [solution.problem.question for solution in RolloutFolder(str(tmp_path), **files).solutions()]

    assert questions() == ["made", "samples_0"]
    assert questions(files="made*.jsonl") == ["made"]
    with pytest.raises(UserError, match=r"no rollouts \(other\*\) in"):
        questions(files="other*")


def test_a_broken_line_is_named(tmp_path):
    (tmp_path / "0.jsonl").write_text('{"settings": {}}\n{"steps": oops}\n')
    with pytest.raises(UserError, match=r"0\.jsonl:2: not a line of a rollout file"):
        list(RolloutFolder(str(tmp_path)).solutions())
