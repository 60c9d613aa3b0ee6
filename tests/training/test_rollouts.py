import json

import pytest

from ttcs.core import Problem
from ttcs.ledger import Budget
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.scheduler import run
from ttcs.selection import Majority
from ttcs.training.rollouts import MonteCarlo, Rollouts, _no_prm, _whole_problems, labelled


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


def test_a_killed_shard_goes_on_without_losing_or_repeating_a_problem(tmp_path):
    out = tmp_path / "0.jsonl"

    def stage():
        return Rollouts(str(out), ScriptedPolicy(), MonteCarlo(2, 2, 0.5, 1.2), 0, 6, 0, 2)

    stage().run()
    whole = out.read_text()
    lines = whole.splitlines(keepends=True)
    third = [i for i, line in enumerate(lines) if '"done"' in line][1]
    out.write_text("".join(lines[: third + 2])[:-20])  # a kill in the middle of a line of the third problem
    assert len(_whole_problems(out)) == 2
    stage().run()
    assert sorted(out.read_text().splitlines()) == sorted(whole.splitlines())
    assert sum('"done"' in line for line in lines) == 3  # of six problems, two shards
    assert all(len(s["steps"]) == len(s["labels"]) for s in map(json.loads, lines) if "steps" in s)
