"""Chains of revisions against the scripted policy."""

from __future__ import annotations

import pytest

from tests.simulation import PROBLEMS, CountingPolicy, Recorded, one, simulate
from ttcs.core import Candidate, Sample, Score
from ttcs.errors import UserError
from ttcs.grade import grade
from ttcs.policies.scripted import ScriptedPolicy, is_right
from ttcs.prms.scripted import ScriptedPRM
from ttcs.reduction import last
from ttcs.selection import Best, Hierarchical, Majority, Weighted
from ttcs.strategies.beam_search import BeamSearch
from ttcs.strategies.revisions import Revisions
from ttcs.strategies.search_and_revise import SearchAndRevise
from ttcs.strategies.self_refine import SelfRefine


@pytest.mark.parametrize("chains", [1, 2, 4, 12])
def test_the_attempts_of_all_chains_are_n(chains: int) -> None:
    outcome = one(Revisions(12, chains, 4))
    assert len(outcome.candidates) == 12
    assert [candidate.subtree for candidate in outcome.candidates] == [
        i for i in range(chains) for _ in range(12 // chains)
    ]


def test_a_revision_is_shown_the_latest_attempts_of_its_chain() -> None:
    outcome = one(Revisions(16, 2, 4))
    for i, candidate in enumerate(outcome.candidates):
        place = i % 8
        before = outcome.candidates[i - min(place, 4) : i]
        assert [turn.attempt.steps[-1].node for turn in candidate.history] == [one.steps[-1].node for one in before]


def test_a_chain_is_the_same_whatever_stands_beside_it() -> None:
    """So that whole chains, and beginnings of chains, are valid smaller runs."""
    large, small = one(Revisions(16, 4, 4)), one(Revisions(4, 2, 4))
    texts = [[c.text for c in large.candidates if c.subtree == i] for i in range(2)]
    assert [[c.text for c in small.candidates if c.subtree == i] for i in range(2)] == [row[:2] for row in texts]


def test_the_flip_rate_is_recovered() -> None:
    policy = ScriptedPolicy(flip=0.38, fix=0.2, accuracy=(0.8,) * 5)
    pairs = [
        (is_right(before), is_right(after))
        for seed in range(8)
        for outcome in simulate(Revisions(64, 4, 4), policy=policy, seed=seed, selection=Majority()).values()
        for before, after in zip(outcome.candidates, outcome.candidates[1:], strict=False)
        if before.subtree == after.subtree
    ]
    flipped = [not after for before, after in pairs if before]
    fixed = [after for before, after in pairs if not before]
    assert sum(flipped) / len(flipped) == pytest.approx(0.38, abs=0.03)
    assert sum(fixed) / len(fixed) == pytest.approx(0.2, abs=0.03)


def test_what_was_cut_off_is_not_shown() -> None:
    policy = CountingPolicy(ScriptedPolicy(max_tokens=70, min_depth=3, max_depth=5))
    simulate(Revisions(8, 1, 4), policy=policy, selection=Majority())
    shown = [turn.attempt for request in policy.asked.values() for turn in request.trajectory.history]
    assert shown and all(attempt.finished for attempt in shown)


def test_a_chain_ends_where_the_verifier_is_sure() -> None:
    outcomes = simulate(Revisions(32, 4, 4, sure=0.9), prm=ScriptedPRM(quality=1.0), selection=Majority())
    lengths = []
    for outcome in outcomes.values():
        for i in range(4):
            chain = [candidate for candidate in outcome.candidates if candidate.subtree == i]
            reached = [bool(candidate.scores) and candidate.scores[-1] >= 0.9 for candidate in chain]
            assert not any(reached[:-1]) and (reached[-1] or len(chain) == 8)
            lengths.append(len(chain))
    assert min(lengths) < 8


def test_records_say_what_was_revised() -> None:
    outcome = one(Revisions(6, 2, 2))
    record = grade(outcome, Majority(), last, 0.0)
    leaves = [candidate.leaf for candidate in record.candidates]
    assert [candidate.revises for candidate in record.candidates] == [
        (), (leaves[0],), (leaves[0], leaves[1]), (), (leaves[3],), (leaves[3], leaves[4])
    ]  # fmt: skip
    assert type(record).from_json(record.to_json()) == record


def test_flat_and_hierarchical_differ() -> None:
    """One chain that repeats a wrong answer outweighs all; chain by chain it has one vote of three."""
    long = [Candidate(0, 0.5, 0) for _ in range(4)]
    short = [Candidate(1, 0.6, 1), Candidate(2, 0.1, 1), Candidate(1, 0.7, 2), Candidate(2, 0.1, 2)]
    assert Majority()([*long, *short]) == 0
    assert Weighted()([*long, *short]) == 0
    assert Hierarchical()([*long, *short]) == 6
    assert Hierarchical()([*long]) == Weighted()([*long]) == 0
    assert Hierarchical()([Candidate(None, 1.0, 0)]) is None


def test_bad_sizes() -> None:
    with pytest.raises(UserError, match="n=6 is not a multiple of chains=4"):
        Revisions(6, 4, 4)
    with pytest.raises(UserError, match="window=0 is less than 1"):
        Revisions(4, 1, 0)
    with pytest.raises(UserError, match="n=6 is not a multiple of chains=4"):
        SelfRefine(6, 4, "?", "!")
    with pytest.raises(UserError, match="n=8 is less than 9"):
        SearchAndRevise(8, BeamSearch(8, 4, 40, last), 8, 1, 4, last)


def test_self_refinement_asks_for_a_critique_and_for_a_better_attempt() -> None:
    strategy = Recorded(SelfRefine(6, 2, "what is wrong?", "do better"))
    outcome = one(strategy, selection=Majority())
    log = [(request, reply) for request, reply in strategy.log if reply[0].subtree == 0]
    requests = [request for request, _ in log if isinstance(request, Sample)]
    assert [request.lookahead for request in requests] == [False, True, False, True, False]
    said = [[turn.request for turn in request.trajectories[0].history] for request in requests]
    assert said == [[], ["what is wrong?"], ["what is wrong?", "do better"], *said[1:3]]
    assert len(outcome.candidates) == 6 and outcome.ledger.lookahead_tokens > 0
    assert requests[3].trajectories[0].history[0].attempt == log[2][1][0]


def test_the_best_of_a_search_are_revised() -> None:
    strategy = Recorded(SearchAndRevise(12, BeamSearch(8, 4, 40, last), 8, 2, 4, last))
    outcome = one(strategy, prm=ScriptedPRM(quality=1.0), selection=Best())
    scored = [reply for request, reply in strategy.log if isinstance(request, Score)][-1]
    best = sorted(scored, key=lambda candidate: -candidate.scores[-1])[:2]
    revisions = outcome.candidates[8:] if len(outcome.candidates) == 12 else outcome.candidates[-4:]
    firsts = {turn.attempt.steps[-1].node for revision in revisions for turn in revision.history[:1]}
    assert firsts == {candidate.steps[-1].node for candidate in best}
    assert len(revisions) == 4 and all(candidate.subtree is None for candidate in outcome.candidates)


def test_all_chains_of_all_problems_are_batched() -> None:
    policy = CountingPolicy(ScriptedPolicy(capacity=1000))
    simulate(Revisions(16, 4, 4), policy=policy, selection=Majority())
    assert policy.steps <= 5  # four rounds, whatever the number of problems
    assert len(policy.asked) == 16 * len(PROBLEMS)
