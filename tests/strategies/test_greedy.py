from __future__ import annotations

from tests.simulation import STRATEGIES, CountingPolicy, one


def test_one_request_at_temperature_zero() -> None:
    policy = CountingPolicy()
    outcome = one(STRATEGIES["greedy"], policy=policy)
    (request,) = policy.asked.values()
    assert (request.temperature, request.max_steps, request.trajectory.steps) == (0, None, ())
    assert outcome.candidates[0].finished
    assert outcome.ledger.generations == 1
