"""Searches that run one after another until their candidates are enough."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.search.test_parallel import Drawn, DrawnPRM, determined
from tests.simulation import PROBLEMS, STRATEGIES, CountingPolicy, Recorded, one, simulate
from ttcs import answers
from ttcs.choice import reduction
from ttcs.choice.selection import Majority
from ttcs.choice.stopping.never import Never
from ttcs.choice.stopping.settled import Settled
from ttcs.choice.stopping.weighted import Weighted
from ttcs.core import Candidate, Parallel, Problem, Sample, Score, Search, Trajectory
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.search.budget import Budget
from ttcs.search.execution import Outcome
from ttcs.strategies.adaptive_dvts import AdaptiveDVTS
from ttcs.strategies.adaptive_forcing import AdaptiveForcing
from ttcs.strategies.adaptive_revisions import AdaptiveRevisions
from ttcs.strategies.dvts import DVTS
from ttcs.strategies.revisions import Revisions


@dataclass(frozen=True)
class Parts:
    """So many parts of two solutions each, until there are `least` finished ones."""

    least: int
    parts: int = 5

    def search(self, problem: Problem) -> Search:
        start = Trajectory(problem)
        return (yield Parallel(tuple(self.part(replace(start, subtree=i)) for i in range(self.parts)), self.enough))

    def part(self, start: Trajectory) -> Search:
        return (yield Score((yield Sample((start,) * 2))))

    def enough(self, found: tuple[Trajectory, ...], groups: tuple[int | None, ...]) -> bool:
        assert len(found) == len(groups)
        assert all(trajectory.scored for trajectory in found if trajectory.finished)
        return sum(trajectory.finished for trajectory in found) >= self.least


@dataclass(frozen=True)
class Beside:
    """Such searches beside each other, and one that looks ahead beside them."""

    def search(self, problem: Problem) -> Search:
        return (yield Parallel((Parts(2).search(problem), self.look(problem), Parts(5).search(problem))))

    def look(self, problem: Problem) -> Search:
        yield Sample((Trajectory(problem),), max_steps=1, lookahead=True)
        return (yield Sample((Trajectory(problem),) * 3))


SEARCHES = {
    "parts": Parts(3),
    "beside": Beside(),
    "dvts": AdaptiveDVTS(24, 2, 40, reduction.last, Settled()),
    "revisions": AdaptiveRevisions(24, 6, 2, stopping=Weighted(False), reduction=reduction.last),
}
every = pytest.mark.parametrize("name", SEARCHES)


def vote(outcome: Outcome) -> str | None:
    found = [answers.extract(one.solution) if one.finished else None for one in outcome.candidates]
    chosen = Majority()([Candidate(group, 0.0) for group in answers.group(found)])
    return None if chosen is None else found[chosen]


@pytest.mark.parametrize(("least", "parts"), [(0, 1), (1, 1), (2, 1), (3, 2), (99, 5)])
def test_the_reply_is_the_shortest_beginning_and_the_rest_never_begins(least: int, parts: int) -> None:
    policy = CountingPolicy()
    outcomes = simulate(Parts(least), policy=policy)
    assert {len(outcome.candidates) for outcome in outcomes.values()} == {2 * parts}
    assert len(policy.asked) == 2 * parts * len(PROBLEMS)
    whole = simulate(Parts(99))
    for name, outcome in outcomes.items():
        assert outcome.candidates == whole[name].candidates[: 2 * parts]
        assert outcome.adaptive
        assert outcome.ledger.rounds == parts
        assert outcome.ledger.speculated_tokens == 0


@every
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_outcomes_are_the_same_in_every_order_of_arrival(name: str, seed: int) -> None:
    strategy, problems, order = SEARCHES[name], PROBLEMS[:3], random.Random(seed)
    usual = simulate(strategy, problems=problems, policy=ScriptedPolicy(max_tokens=160))
    drawn = Drawn(max_tokens=160, capacity=order.choice([1, 5, 1000]), order=order), DrawnPRM(order=order)
    assert determined(simulate(strategy, problems=problems, policy=drawn[0], prm=drawn[1])) == determined(usual)


@every
def test_where_the_budget_has_a_limit_the_outcome_is_the_same_and_within_it(name: str) -> None:
    free = simulate(SEARCHES[name])
    roomy = simulate(SEARCHES[name], budget=Budget(tokens=10**9))
    assert {key: outcome.candidates for key, outcome in roomy.items()} == {
        key: outcome.candidates for key, outcome in free.items()
    }
    for outcome in simulate(SEARCHES[name], budget=Budget(tokens=400)).values():
        assert 0 < outcome.ledger.decoded_tokens <= 400


def test_the_settled_vote_of_trees_is_that_of_all_of_them() -> None:
    policy = ScriptedPolicy()
    never = AdaptiveDVTS(24, 2, 40, reduction.last, Never())
    full, drawn = (
        simulate(strategy, policy=policy, selection=Majority())
        for strategy in (never, replace(never, stopping=Settled()))
    )
    sizes = {len(outcome.candidates) for outcome in drawn.values()}
    assert min(sizes) < 24 and len(sizes) > 1
    assert {name: vote(outcome) for name, outcome in drawn.items()} == {
        name: vote(outcome) for name, outcome in full.items()
    }


def test_that_never_stop_they_are_the_strategies_they_are_made_of() -> None:
    pairs = [
        (AdaptiveDVTS(8, 2, 40, reduction.last, Never()), DVTS(8, 2, 40, reduction.last)),
        (AdaptiveRevisions(8, 4, 2, stopping=Never(), reduction=reduction.last), Revisions(8, 4, 2)),
    ]
    for adaptive, plain in pairs:
        found, wanted = simulate(adaptive), simulate(plain)
        assert {name: outcome.candidates for name, outcome in found.items()} == {
            name: outcome.candidates for name, outcome in wanted.items()
        }
        assert all(found[name].ledger.rounds > wanted[name].ledger.rounds for name in wanted)


def test_a_rule_that_reads_scores_gets_them() -> None:
    strategy = Recorded(AdaptiveRevisions(8, 4, 2, stopping=Weighted(False), reduction=reduction.last))
    outcome = one(strategy)
    assert all(candidate.scored for candidate in outcome.candidates if candidate.finished)
    assert any(isinstance(request, Score) for request, _ in strategy.log)


def test_forced_solutions_are_drawn_one_after_another() -> None:
    forced = STRATEGIES["adaptive_forcing"]
    assert isinstance(forced, AdaptiveForcing)
    for outcome in simulate(replace(forced, stopping=Settled()), selection=Majority()).values():
        subtrees = [candidate.subtree for candidate in outcome.candidates]
        assert subtrees == list(range(len(subtrees)))
