from __future__ import annotations

import pytest

from tests.simulation import CountingPRM, Recorded, comparable, one, simulate
from ttcs.choice import reduction
from ttcs.core import Sample
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.strategies.beam_search import BeamSearch
from ttcs.strategies.lookahead import Lookahead


def test_k_0_is_beam_search() -> None:
    beam = simulate(BeamSearch(8, 4, 40, reduction.last))
    assert comparable(simulate(Lookahead(8, 4, 40, reduction.last, 0))) == comparable(beam)


@pytest.mark.parametrize("k", [0, 1, 3])
def test_costs_n_times_k_plus_1_generations_a_round(k: int) -> None:
    policy = ScriptedPolicy(min_depth=40, max_depth=40)
    ledger = one(Lookahead(8, 4, 3, reduction.last, k), policy=policy).ledger
    assert ledger.generations == 3 * 8 * (k + 1)
    assert ledger.lookahead_generations == 3 * 8 * k
    assert ledger.policy_calls == 3 * 8 * (2 if k else 1)


def test_rollouts_are_greedy_marked_and_no_longer_than_k() -> None:
    recorded = Recorded(Lookahead(8, 4, 40, reduction.last, 2))
    one(recorded)
    rollouts = [
        (request, reply) for request, reply in recorded.log if isinstance(request, Sample) and request.lookahead
    ]
    assert rollouts
    for request, reply in rollouts:
        assert (request.max_steps, request.temperature) == (2, 0)
        assert all(trajectory.live for trajectory in request.trajectories)
        for before, after in zip(request.trajectories, reply, strict=True):
            assert 1 <= len(after.steps) - len(before.steps) <= 2


def test_rollouts_are_no_part_of_the_tree() -> None:
    outcome = one(Lookahead(8, 4, 40, reduction.last, 2))
    ledger = outcome.ledger
    assert len(outcome.tree) == ledger.generations - ledger.lookahead_generations
    assert sum(len(node.step.tokens) for node in outcome.tree) == ledger.decoded_tokens - ledger.lookahead_tokens


def test_own_scores_come_from_the_rollout_and_cost_no_call_of_their_own() -> None:
    prm = CountingPRM()
    outcome = one(Lookahead(8, 4, 40, reduction.last, 2), prm=prm)
    assert len(prm.asked) == len(outcome.tree)
    assert all(node.step.score is not None for node in outcome.tree)


def test_the_rank_is_that_of_the_end_of_the_rollout() -> None:
    recorded = Recorded(Lookahead(4, 4, 40, reduction.last, 2))
    one(recorded, policy=ScriptedPolicy(min_depth=9, max_depth=9))
    children, rollouts, ends, following = (entry for entry in recorded.log[:4])
    assert isinstance(following[0], Sample)
    best = max(range(4), key=lambda i: reduction.last(ends[1][i].scores))
    kept = following[0].trajectories[0]
    assert kept.steps[0].node == children[1][best].steps[0].node
    assert len(kept.steps) == 1 and len(rollouts[1][best].steps) == 3


def test_k_changes_a_ranking() -> None:
    """Some first step is the best by itself and not by where it leads."""
    policy = ScriptedPolicy(min_depth=9, max_depth=9)
    differ = 0
    for seed in range(20):
        recorded = Recorded(Lookahead(4, 4, 2, reduction.last, 3))
        one(recorded, policy=policy, seed=seed)
        ends = recorded.log[2][1]
        by_itself = max(range(4), key=lambda i: ends[i].scores[0])
        by_its_end = max(range(4), key=lambda i: ends[i].scores[-1])
        following = recorded.log[3][0]
        assert isinstance(following, Sample)
        assert following.trajectories[0].steps[0].node == ends[by_its_end].steps[0].node
        differ += by_itself != by_its_end
    assert differ
