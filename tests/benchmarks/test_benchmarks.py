"""The logic of the benchmarks, on the scripted pair; nothing here is timed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from benchmarks import lockstep, raw, report, tokens
from benchmarks.__main__ import main
from benchmarks.harness import QUICK, Effort, Limit, Result, Side, Spread, Timed, compare, interleaved
from benchmarks.lengths import Shape
from benchmarks.machine import Machine
from benchmarks.rescoring import FullBeamSearch, RescoringPRM
from tests import tiny
from tests.prms.families import judge
from tests.simulation import PROBLEMS, STRATEGIES, CountingPolicy, comparable, one, simulate
from ttcs.choice import reduction
from ttcs.choice.selection import Best
from ttcs.core import Continue, Stop, Trajectory
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.prms.rlhflow import RLHFlow
from ttcs.prms.scripted import ScriptedPRM
from ttcs.prms.transformers import TransformersPRM
from ttcs.strategies.dvts import DVTS


def test_a_trie_counts_what_sequences_share_once():
    assert tokens.trie_size([[1, 2, 3], [1, 2, 4, 5], [1, 2], [7]]) == 6
    assert tokens.trie_size([]) == 0


def test_every_scored_node_is_a_conversation():
    outcome = one(STRATEGIES["dvts"])
    found = list(tokens.conversations(outcome, lambda _, texts: [tuple(map(hash, texts))]))
    assert len(found) == sum(node.step.score is not None for node in outcome.tree)
    assert max(map(len, found)) == max(len(candidate.steps) for candidate in outcome.candidates)


def test_reading_all_anew_gives_the_scores_of_the_prm():
    solution = tiny.trajectory("## Step 1: $1 + 1 = 2$.\n\n", "The end.")
    config = OmegaConf.create(
        {"prm": {"model": tiny.generative(), "format": {"_target_": "ttcs.prms.rlhflow.RLHFlow"}}}
    )
    ((anew,), (kept,)) = (
        judge(prm, solution) for prm in (RescoringPRM(config, 8), TransformersPRM(RLHFlow(), tiny.generative(), 8))
    )
    assert anew.scores == pytest.approx(kept.scores, abs=1e-5)
    assert len(set(anew.scores)) == 2


@pytest.mark.parametrize("group", [1, 5, 12])
@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_searches_in_lock_step_choose_what_the_scheduler_s_choose(name, group):
    strategy = STRATEGIES[name]
    outcomes = lockstep.run(strategy, Best(), PROBLEMS, ScriptedPolicy(), ScriptedPRM(), seed=0, group=group)
    assert [outcome.problem for outcome in outcomes] == PROBLEMS
    together = {outcome.problem.id: outcome for outcome in outcomes}
    assert comparable(together) == comparable(simulate(strategy))


def test_in_lock_step_no_search_is_scored_before_all_are_sampled():
    policy = CountingPolicy(ScriptedPolicy(pace=3))
    waves: list[int] = []

    class PRM(ScriptedPRM):
        def step(self):
            waves.append(len(policy.asked) - len(policy.given))
            return super().step()

    lockstep.run(STRATEGIES["dvts"], Best(), PROBLEMS, policy, PRM(), seed=0, group=len(PROBLEMS))
    assert waves
    assert not any(waves)


def test_beams_to_the_end_are_those_of_beam_search_until_one_is_complete():
    policy = ScriptedPolicy(min_depth=4)
    full = one(FullBeamSearch(8, 4, 40, reduction.last), policy=policy)
    here = one(STRATEGIES["beam_search"], policy=policy)
    whole_rounds = 3 * 8  # before the fourth, no solution ends
    assert full.tree[:whole_rounds] == here.tree[:whole_rounds]
    assert len(full.tree) >= len(here.tree)
    assert len(full.candidates) == 8


def test_lengths_of_the_raw_run_are_those_of_the_search():
    outcome = one(DVTS(8, 4, 40, reduction.last))
    (counts,) = raw.lengths([outcome], 8).values()
    assert sum(counts) == outcome.ledger.decoded_tokens
    firsts = [len(node.step.tokens) for node in outcome.tree if node.parent is None]
    assert len(firsts) == len(counts) == 8
    assert all(count >= first for count, first in zip(counts, firsts, strict=True))


def test_a_shape_draws_the_same_for_the_same_seed():
    shape = Shape(shortest=2, longest=5, least=3, end=0.5)
    request = Continue(Trajectory(PROBLEMS[0]), None, None, None, seed=7)
    steps = shape.steps(request)
    assert steps == shape.steps(request)
    assert len(steps) >= 3
    assert all(2 <= length <= 5 for length, _ in steps)
    assert [stop for _, stop in steps] == [Stop.STEP] * (len(steps) - 1) + [Stop.END]
    assert shape.steps(replace(request, max_steps=1)) == [(steps[0][0], Stop.STEP)]


def test_ways_alternate_after_one_run_of_each():
    order: list[str] = []
    runs = interleaved({name: lambda name=name: order.append(name) for name in "ab"}, 3)
    assert "".join(order) == "ab" + "ab" * 3
    assert {name: len(found) for name, found in runs.items()} == {"a": 3, "b": 3}


def test_ratios_are_taken_pair_by_pair():
    above, below = [Timed(2.0, 1.0, None), Timed(30.0, 8.0, None)], [Timed(1.0, 1.0, None), Timed(10.0, 4.0, None)]
    wall, cpu = compare(above, below)
    assert (wall, cpu) == (Spread(2.5, 2.0, 3.0), Spread(1.5, 1.0, 2.0))


RESULT = Result(
    "G3", "a / b", Spread(1.3, 1.25, 1.4), Limit(1.25), Spread.exact(1.2), {"a": Side(2.0, 1.9, {"tokens": 12345})}
)


def test_a_table_says_whether_a_goal_is_met():
    head, rule, row = report.table([RESULT]).splitlines()
    assert head.count("|") == rule.count("|") == row.count("|")
    assert "| G3 | a / b | 1.30 (1.25 to 1.40) | 1.20 | ≤ 1.25 | **no** | a 2.00 s (1.90), tokens 12,345 |" in row
    assert "≥ 10 | yes" in report.table([replace(RESULT, measured=Spread.exact(11), limit=Limit(10, least=True))])
    assert replace(RESULT, limit=None).met is None


def test_the_goals_are_those_of_the_whole_table():
    assert report.goals([RESULT, replace(RESULT, limit=None)]).splitlines()[2:] == [
        "| G3 | a / b | 1.30 (1.25 to 1.40) | ≤ 1.25 | **no** |"
    ]


def test_the_page_has_the_goals_of_its_whole_table():
    content = (Path(__file__).parents[2] / "docs" / "performance.md").read_text(encoding="utf-8")
    goals, whole = (content.partition(f"<!-- {mark} -->\n")[2].partition("\n\n")[0] for mark in ("speed", "benchmarks"))
    rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in whole.splitlines()[2:]]
    expected = [" | ".join([*row[:3], *row[4:6]]) for row in rows if row[4]]
    assert goals.splitlines()[2:-1] == [f"| {row} |" for row in expected]


def test_results_of_earlier_commands_stand_in_one_table(tmp_path, monkeypatch, capsys):
    effort = Effort(runs=3, problems=2)
    for number, goal in enumerate(("G3", "G9")):
        results = [replace(RESULT, goal=goal), replace(RESULT, goal=goal, limit=None, cpu=None)]
        text = report.to_json(Machine.now(number, results, effort), results)
        (tmp_path / f"{goal}.json").write_text(text)
        assert report.read_json(tmp_path / f"{goal}.json")[1] == results
    files = [str(tmp_path / f"{goal}.json") for goal in ("G9", "G3")]
    monkeypatch.setattr("sys.argv", ["benchmarks", "--join", *files])
    main()
    printed = capsys.readouterr().out
    assert [line[2:4] for line in printed.splitlines() if line.startswith("| G")] == ["G3", "G3", "G9", "G9"]
    assert "\nG9: " in printed and "\n\nG3: " in printed
    (tmp_path / "G9.json").write_text("{}")
    with pytest.raises(SystemExit, match="no results of this version"):
        main()


def test_results_are_written_as_json_and_into_a_page(tmp_path):
    content = json.loads(report.to_json(Machine.now(0.5, [RESULT], QUICK), [RESULT]))
    assert content["results"][0]["met"] is False
    assert content["machine"]["share"] == pytest.approx(0.95 / content["machine"]["threads"])
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- speed -->\nold\n<!-- /speed -->\nafter\n")
    report.write_between(page, report.GOALS, "new\n")
    assert page.read_text() == "before\n<!-- speed -->\nnew\n<!-- /speed -->\nafter\n"
    page.write_text("no marks")
    with pytest.raises(SystemExit, match="no single pair"):
        report.write_between(page, report.GOALS, "new\n")
