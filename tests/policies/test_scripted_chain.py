"""Chains of the simulated pair: what is written, and what is believed of it."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import mean, stdev

import pytest
from hydra import compose, initialize_config_dir

from ttcs.config.components import build
from ttcs.config.identity import register_resolvers
from ttcs.config.options import CONF
from ttcs.core import Continue, Judge, Problem, Step, Stop, Trajectory
from ttcs.errors import UserError
from ttcs.policies.scripted import ScriptedPolicy, is_right
from ttcs.policies.scripted_chain import RULE, ScriptedChain, mistake
from ttcs.prms.scripted import ScriptedPRM
from ttcs.prms.scripted_belief import ScriptedBelief
from ttcs.problems.levelled import levelled

PROBLEM = Problem("p", "What is 1 and 1?", "2", level=1)
POLICY = ScriptedPolicy(chain=ScriptedChain())
SURE = ScriptedBelief(missed=0, blind=0, noise=0, last_noise=0)


def solution(
    seed: int, problem: Problem = PROBLEM, policy: ScriptedPolicy = POLICY, greedy: bool = False
) -> Trajectory:
    root = Trajectory(problem)
    return root.extend(policy.continued(Continue(root, None, None, 0.0 if greedy else 0.8, seed)).steps)


def at(level: int, number: int = 0) -> Problem:
    return replace(PROBLEM, id=f"p{number}", level=level)


def mistakes(trajectory: Trajectory) -> tuple[str | None, ...]:
    return tuple(mistake(step.text) for step in trajectory.steps)


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_a_solution_is_as_long_as_its_level_and_right_as_often(level: int) -> None:
    chain = ScriptedChain()
    found = [solution(seed, at(level, seed)) for seed in range(1000)]
    assert all(len(each.steps) == chain.steps[level - 1] and each.finished for each in found)
    followed = 1 - chain.share[level - 1] * chain.rule[level - 1]
    right = (1 - chain.slip[level - 1]) ** chain.steps[level - 1] * followed ** (chain.steps[level - 1] - 1)
    assert mean(map(is_right, found)) == pytest.approx(right, abs=0.05)


def test_the_answer_is_that_of_the_mistakes() -> None:
    found = [solution(seed, at(2)) for seed in range(400)]
    answers = {mistakes(each): each.steps[-1].text.partition("\\boxed")[2] for each in found}
    assert len(set(answers.values())) == len(answers) > 100
    assert {wrong for wrong, answer in answers.items() if answer == "{2}"} == {(None,) * 8}
    assert all(
        any(wrong) == any(" err " in step.text for step in each.steps)
        for each, wrong in zip(found, map(mistakes, found), strict=True)
    )


def test_a_rule_tempts_at_some_steps_of_a_problem_and_never_at_its_last() -> None:
    tempted = []
    for number in range(100):
        where = {
            depth
            for seed in range(30)
            for depth, value in enumerate(mistakes(solution(seed, at(5, number))))
            if value == RULE
        }
        tempted.append(len(where))
        assert 6 not in where
    assert mean(tempted) == pytest.approx(0.8 * 6, abs=0.4) and stdev(tempted) > 0.5


def test_greedily_a_likely_rule_is_followed_and_nothing_slips() -> None:
    assert all(is_right(solution(0, at(2, number), greedy=True)) for number in range(50))
    found = [mistakes(solution(seed, at(5, seed), greedy=True)) for seed in range(50)]
    assert {value for wrong in found for value in wrong} == {None, RULE}
    assert found == [mistakes(solution(seed + 1, at(5, seed), greedy=True)) for seed in range(50)]


def test_the_same_text_is_the_same_tokens_however_it_is_asked_for() -> None:
    for greedy in (True, False):
        whole, grown = solution(3, at(3), greedy=greedy), Trajectory(at(3))
        tokens = {step.text: step.tokens for seed in range(300) for step in solution(seed, at(3)).steps}
        assert all(tokens.get(step.text, step.tokens) == step.tokens for step in whole.steps)
        while grown.live and greedy:
            grown = grown.extend(POLICY.continued(Continue(grown, 1, None, 0.0, 9)).steps)
        assert not greedy or grown == whole
    assert {len(step.tokens) for step in whole.steps} == {POLICY.tokens_per_step}


def test_limits_cut_a_chain_as_any_solution() -> None:
    short = ScriptedPolicy(chain=ScriptedChain(), max_tokens=50)
    assert solution(0, policy=short).steps[-1].stop is Stop.LENGTH
    stepwise = ScriptedPolicy(chain=ScriptedChain(), step_tokens=5)
    (step,) = stepwise.continued(Continue(Trajectory(PROBLEM), 1, None, None, 0)).steps
    assert (step.stop, len(step.tokens)) == (Stop.STEP_LENGTH, 5)


def test_a_level_that_the_chain_has_not_is_said() -> None:
    with pytest.raises(UserError, match="has level 6"):
        solution(0, at(6))
    with pytest.raises(UserError, match="a number for each level"):
        ScriptedChain(slip=(0.1,))


def written(*values: str | None, problem: Problem = PROBLEM) -> Trajectory:
    texts = [
        f"## Step {depth}: {'ok' if value is None else f'err {value}'}\n\n" for depth, value in enumerate(values, 1)
    ]
    return Trajectory(problem, tuple(Step(0, (1,), text, Stop.STEP) for text in texts))


def scores(belief: ScriptedBelief, trajectory: Trajectory) -> tuple[float, ...]:
    engine = ScriptedPRM(belief=belief)
    engine.add(0, Judge(trajectory))
    ((_, judged),) = engine.step()
    assert None not in judged.scores
    return tuple(score for score in judged.scores if score is not None)


def logit(score: float) -> float:
    return math.log(score / (1 - score))


def test_a_right_chain_is_believed_the_more_the_nearer_its_end() -> None:
    assert scores(SURE, written(*[None] * 8)) == pytest.approx([0.98 * 0.95**ahead for ahead in range(7, -1, -1)])


def test_a_seen_mistake_is_not_forgotten() -> None:
    found = [
        logit(score)
        for number in range(300)
        for score in scores(SURE, written(None, "3", *[None] * 6, problem=at(1, number)))[1:]
    ]
    assert (mean(found), stdev(found)) == (pytest.approx(-5, abs=0.1), pytest.approx(1, abs=0.1))


def test_noise_is_that_of_the_text() -> None:
    belief = replace(SURE, noise=0.5, last_noise=0.7)
    found = [scores(belief, written(*[None] * 8, problem=at(1, number))) for number in range(400)]
    assert found[0] == scores(belief, written(*[None] * 8, problem=at(1, 0)))
    for depth, deviation in ((1, 0.5), (8, 0.7)):
        odds = [logit(each[depth - 1]) for each in found]
        assert mean(odds) == pytest.approx(logit(0.98 * 0.95 ** (8 - depth)), abs=0.1)
        assert stdev(odds) == pytest.approx(deviation, abs=0.07)


def test_one_value_is_liked_where_the_prm_is_blind_until_the_last_step_checks() -> None:
    values = [RULE, *map(str, range(1, 7))]
    always = replace(SURE, blind=1, deviation=0, check=1)
    for number in range(40):
        odds = {value: logit(scores(always, written(None, value, problem=at(1, number)))[-1]) for value in values}
        liked = [value for value, found in odds.items() if found > 0]
        assert len(liked) == 1 and odds[liked[0]] == pytest.approx(1.5)
        whole = written(None, liked[0], *[None] * 6, problem=at(1, number))
        assert [logit(score) for score in scores(always, whole)[1:]] == pytest.approx([*[1.5] * 6, -5])
    checked = replace(always, check=0.95)
    ends = [
        logit(scores(checked, written(None, value, *[None] * 6, problem=at(1, number)))[-1])
        for number in range(300)
        for value in values
    ]
    assert sum(end > 0 for end in ends) / 300 == pytest.approx(0.05, abs=0.03)


def test_shares_of_blind_and_missed_steps() -> None:
    blind = replace(SURE, blind=0.15, missed=0.1)
    found = [
        logit(scores(blind, written(str(value), problem=at(1, number)))[-1]) > 0
        for number in range(1000)
        for value in range(1, 7)
    ]
    assert mean(found) == pytest.approx(0.15 / 7 + 0.1 * (1 - 0.15 / 7), abs=0.02)


def test_known_scores_stay() -> None:
    trajectory = written(None, None)
    known = replace(trajectory, steps=(replace(trajectory.steps[0], score=0.123), trajectory.steps[1]))
    assert scores(SURE, known)[0] == 0.123


def test_problems_are_made_by_level_and_shared_out() -> None:
    whole = levelled(5, 150, 0, 1)
    assert len({problem.id for problem in whole}) == 150 and whole[:20] == levelled(5, 20, 0, 1)
    assert all(sum(problem.level == level for problem in whole) == 30 for level in range(1, 6))
    parts = [levelled(5, 150, shard, 3) for shard in range(3)]
    assert sorted((problem for part in parts for problem in part), key=whole.index) == list(whole)
    with pytest.raises(UserError, match=r"dataset\.limit=null"):
        levelled(5, None, 0, 1)


def test_the_prm_is_told_what_the_policy_writes() -> None:
    register_resolvers()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("config", ["experiment=simulation", "policy.chain.values=3", "policy.chain.steps=[2,2,2,2,2]"])
    policy, prm = build(config, "policy"), build(config, "prm")
    assert (
        (policy.chain.values, list(policy.chain.steps)) == (prm.belief.values, list(prm.belief.steps)) == (3, [2] * 5)
    )
    assert replace(policy.chain, values=6, steps=[8, 8, 8, 7, 7]) == replace(
        ScriptedChain(), **{name: list(getattr(ScriptedChain(), name)) for name in ("steps", "slip", "rule", "share")}
    )
    assert replace(prm.belief, values=6, steps=(8, 8, 8, 7, 7)) == ScriptedBelief()
