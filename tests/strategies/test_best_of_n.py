from __future__ import annotations

import pytest

from tests.simulation import CountingPolicy, CountingPRM, one, unscored
from ttcs.choice.selection import Majority
from ttcs.errors import UserError
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.strategies.best_of_n import BestOfN


@pytest.mark.parametrize("n", [1, 4, 13])
def test_a_prefix_of_a_pool_is_a_direct_run_at_that_n(n: int) -> None:
    pool = one(BestOfN(16)).candidates[:n]
    assert one(BestOfN(n)).candidates == (pool if n > 1 else tuple(map(unscored, pool)))  # one alone is not scored


def test_exact_counts() -> None:
    policy, prm = CountingPolicy(ScriptedPolicy(min_depth=3, max_depth=3)), CountingPRM()
    outcome = one(BestOfN(6), policy=policy, prm=prm)
    assert (len(policy.asked), len(prm.asked), len(outcome.tree)) == (6, 6, 18)
    assert outcome.ledger.generations == 6
    assert outcome.ledger.discarded_tokens == 0


def test_what_was_cut_off_counts_towards_n() -> None:
    outcome = one(BestOfN(32), policy=ScriptedPolicy(max_tokens=70))
    finished = [candidate.finished for candidate in outcome.candidates]
    assert len(finished) == 32 and True in finished and False in finished
    assert not any(candidate.scores for candidate in outcome.candidates if not candidate.finished)


def test_the_prm_is_asked_only_where_there_is_something_to_choose() -> None:
    counts = set()
    for limit in range(20, 160, 5):
        prm = CountingPRM()
        outcome = one(BestOfN(6), policy=ScriptedPolicy(max_tokens=limit), prm=prm)
        finished = [candidate for candidate in outcome.candidates if candidate.finished]
        counts.add(len(finished))
        assert len(prm.asked) == outcome.ledger.prm_calls == (len(finished) if len(finished) > 1 else 0)
        assert all(candidate.scored == (len(finished) > 1) for candidate in finished)
    assert {0, 1, 2, 6} <= counts


def test_a_vote_needs_no_prm() -> None:
    prm = CountingPRM()
    outcome = one(BestOfN(6), selection=Majority(), prm=prm)
    assert not prm.asked and outcome.ledger.prm_calls == 0


def test_a_window_is_one_of_confidence() -> None:
    with pytest.raises(UserError, match=r"^window=64 is of a confidence that is not asked for: add strategy"):
        BestOfN(8, window=64)
    with pytest.raises(UserError, match=r"^confidence=0 is less than 1$"):
        BestOfN(8, confidence=0)
