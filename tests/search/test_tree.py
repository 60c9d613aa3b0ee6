from __future__ import annotations

import pytest

from ttcs.core import Problem, Step, Stop, Trajectory
from ttcs.search.tree import Tree

ROOT = Trajectory(Problem("p", "?"))


def step(text: str) -> Step:
    return Step(-1, (1,), text, Stop.STEP)


def test_steps_are_numbered_and_know_their_parent() -> None:
    tree = Tree()
    a = tree.grow(ROOT, [step("a"), step("b")], lookahead=False)
    b = tree.grow(a.prefix(1), [step("c")], lookahead=False)
    assert [s.node for s in a.steps] == [0, 1]
    assert [s.node for s in b.steps] == [0, 2]
    assert [(node.parent, node.step.text) for node in tree.nodes()] == [(None, "a"), (0, "b"), (0, "c")]


def test_rollouts_are_remembered_but_no_part_of_the_tree() -> None:
    tree = Tree()
    a = tree.grow(ROOT, [step("a")], lookahead=False)
    rollout = tree.grow(a, [step("b")], lookahead=True)
    tree.learn(rollout, [0.25, 0.5])
    assert tree.scored(rollout).scores == (0.25, 0.5)
    assert tree.holds(a) and not tree.holds(rollout)
    assert [(node.step.text, node.step.score) for node in tree.nodes()] == [("a", 0.25)]


def test_shared_steps_share_the_first_score() -> None:
    tree = Tree()
    a = tree.grow(ROOT, [step("a")], lookahead=False)
    b, c = (tree.grow(a, [step(text)], lookahead=False) for text in "bc")
    tree.learn(b, [0.1, 0.2])
    tree.learn(c, [0.9, 0.3])
    assert tree.scored(c).scores == (0.1, 0.3)


def test_one_score_per_step() -> None:
    tree = Tree()
    a = tree.grow(ROOT, [step("a")], lookahead=False)
    with pytest.raises(ValueError):
        tree.learn(a, [0.1, 0.2])


def test_log_probabilities_stay_with_their_step() -> None:
    tree = Tree()
    told = Step(-1, (1, 2), "a", Stop.STEP, logprobs=(-0.5, -1.0))
    a = tree.grow(ROOT, [told], lookahead=False)
    assert a.steps[0].logprobs == (-0.5, -1.0)
    tree.learn(a, [0.5])
    assert tree.scored(a).steps[0] == Step(0, (1, 2), "a", Stop.STEP, 0.5, (-0.5, -1.0))
