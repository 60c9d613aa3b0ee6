from __future__ import annotations

import math

import pytest

from tests.simulation import PROBLEMS, CountingPolicy, one, simulate
from ttcs import answers
from ttcs.choice.confident import Confident
from ttcs.choice.selection import Majority
from ttcs.core import Stop
from ttcs.errors import UserError
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.strategies.best_of_n import BestOfN
from ttcs.strategies.deepconf import DeepConf, percentile

SETTINGS = {"warm_up": 8, "keep": 0.5, "confidence": 20, "window": 15, "consensus": 0.95}


def made(n: int = 24, **changes: float) -> DeepConf:
    return DeepConf(n, **(SETTINGS | changes))  # type: ignore[arg-type]


def test_the_warm_up_is_drawn_whole_and_says_how_sure_it_is() -> None:
    outcome = one(made(8))
    assert len(outcome.candidates) == 8 and all(candidate.finished for candidate in outcome.candidates)
    assert [c.text for c in outcome.candidates] == [c.text for c in one(BestOfN(8)).candidates]
    assert all(candidate.confidence is not None for candidate in outcome.candidates)


def test_later_ones_end_below_the_threshold_and_cost_less() -> None:
    strict, lenient = (simulate(made(consensus=1.0, keep=keep), selection=Majority()) for keep in (0.1, 1.0))
    doubted = 0
    for name, outcome in strict.items():
        told = [one.confidence.of("least") for one in outcome.candidates[:8] if one.confidence]
        threshold = percentile([least for least in told if least is not None], 0.1)
        for one_ in outcome.candidates[8:]:
            least = math.inf if one_.confidence is None or one_.confidence.least is None else one_.confidence.least
            ended_at_once = one_.finished and one_.steps[-1].confidence is not None
            assert (one_.steps[-1].stop is Stop.DOUBT) == (least < threshold and not (ended_at_once and one_.finished))
            doubted += one_.steps[-1].stop is Stop.DOUBT
        assert outcome.adaptive and name in lenient
    assert doubted > 20
    tokens = [sum(outcome.ledger.decoded_tokens for outcome in run.values()) for run in (strict, lenient)]
    assert tokens[0] < tokens[1]


def test_a_consensus_ends_the_drawing() -> None:
    policy = ScriptedPolicy(accuracy=[1.0] * 5)
    outcome = one(made(), policy=policy, selection=Majority())
    assert [candidate.finished for candidate in outcome.candidates] == [True] * 8  # all of the warm-up agree
    ahead = one(made(), policy=ScriptedPolicy(accuracy=[1.0] * 5, capacity=1000), selection=Majority(), ahead=4)
    assert (ahead.ledger.policy_calls, ahead.ledger.speculated_tokens) == (8, 0) and outcome.adaptive
    for outcome in simulate(made(consensus=0.6), selection=Majority()).values():
        texts = [answers.extract(one.solution) if one.finished else None for one in outcome.candidates]
        if len(texts) == 24:
            continue
        groups, weights = answers.group(texts), dict[int, float]()
        for group, one_ in zip(groups, outcome.candidates, strict=True):
            if group is not None and one_.confidence is not None:
                weights[group] = weights.get(group, 0.0) + one_.confidence.mean
        assert max(weights.values()) >= 0.6 * sum(weights.values())


@pytest.mark.parametrize("ahead", [1, 4, None])
def test_what_runs_ahead_changes_nothing_that_is_found(ahead: int | None) -> None:
    usual = simulate(made(consensus=0.6), selection=Majority())
    policy = CountingPolicy(ScriptedPolicy(capacity=5, pace=4, shuffle=True))
    found = simulate(made(consensus=0.6), selection=Majority(), policy=policy, ahead=ahead, problems=PROBLEMS[::-1])
    assert {name: one.candidates for name, one in found.items()} == {n: one.candidates for n, one in usual.items()}


def test_one_that_is_shorter_than_a_window_has_its_mean_in_the_threshold() -> None:
    drawn = one(BestOfN(8, confidence=20, window=80), selection=Majority()).candidates
    told = [candidate.confidence for candidate in drawn if candidate.confidence is not None]
    least = [sure.mean if sure.least is None else sure.least for sure in told]
    short = sum(sure.least is None for sure in told)
    assert 0 < short < len(told) == 8
    assert made(window=80).threshold(drawn) == percentile(least, 0.5)


def test_percentiles() -> None:
    assert percentile([], 0.1) == -math.inf
    assert percentile([3.0], 0.1) == 3.0
    values = [4.0, 1.0, 3.0, 2.0, 5.0]
    assert [percentile(values, above) for above in (1.0, 0.9, 0.5, 0.0)] == [1.0, pytest.approx(1.4), 3.0, 5.0]


def test_sizes() -> None:
    with pytest.raises(UserError, match=r"^warm_up=8 is more than n=4$"):
        made(4)


def test_the_least_window_is_what_offline_votes_weigh_too() -> None:
    outcome = one(BestOfN(8, confidence=20, window=15), selection=Majority())
    assert all(candidate.confidence and candidate.confidence.least for candidate in outcome.candidates)
    assert not Confident("least", 0.9).reads_scores
