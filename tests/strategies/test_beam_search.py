from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulation import CountingPRM, Recorded, one, simulate
from ttcs.choice import reduction
from ttcs.core import Sample, Score, Trajectory
from ttcs.policies.scripted import ScriptedPolicy, is_right
from ttcs.prms.scripted import ScriptedPRM
from ttcs.strategies.beam_search import BeamSearch


def rounds(recorded: Recorded) -> list[tuple[Sample, tuple[Trajectory, ...]]]:
    """Every Sample with its children, scored."""
    pairs = zip(recorded.log[::2], recorded.log[1::2], strict=True)
    return [(sample, scored) for (sample, _), (score, scored) in pairs if isinstance(sample, Sample)]


def test_exact_counts_while_nothing_finishes_early() -> None:
    prm = CountingPRM()
    outcome = one(BeamSearch(8, 4, 40, reduction.last), policy=ScriptedPolicy(min_depth=5, max_depth=5), prm=prm)
    assert outcome.ledger.generations == outcome.ledger.policy_calls == len(prm.asked) == len(outcome.tree) == 8 * 5
    assert len(outcome.candidates) == 8
    assert all(len(candidate.steps) == 5 for candidate in outcome.candidates)


def test_the_best_are_kept_and_branched() -> None:
    recorded = Recorded(BeamSearch(8, 4, 40, reduction.min))
    one(recorded, policy=ScriptedPolicy(min_depth=5, max_depth=5))
    history = rounds(recorded)
    assert [len(sample.trajectories) for sample, _ in history] == [8] * 5
    assert history[0][0].trajectories[0].steps == ()
    for (_, children), (sample, _) in pairwise(history):
        best = sorted(children, key=lambda child: -reduction.min(child.scores))[:2]
        assert list(sample.trajectories) == [best[0]] * 4 + [best[1]] * 4


@pytest.mark.parametrize("seed", range(5))
def test_the_finished_are_set_aside_and_give_up_their_slot(seed: int) -> None:
    recorded = Recorded(BeamSearch(16, 4, 40, reduction.last))
    outcome = one(recorded, policy=ScriptedPolicy(min_depth=2, max_depth=8), seed=seed)
    finished: list[Trajectory] = []
    for sample, children in rounds(recorded):
        assert len(sample.trajectories) <= 16 - len(finished)
        assert not any(trajectory.finished for trajectory in sample.trajectories)
        finished += [child for child in children if child.finished]
    assert outcome.candidates == tuple(finished)
    assert len(finished) == 16


def test_stops_as_soon_as_n_are_finished() -> None:
    recorded = Recorded(BeamSearch(4, 2, 40, reduction.last))
    one(recorded, policy=ScriptedPolicy(min_depth=1, max_depth=1))
    assert [type(request) for request, _ in recorded.log] == [Sample, Score]


def test_slots_that_are_no_multiple_of_the_width() -> None:
    """5 slots and width 4: the best is branched four ways, the second best gets what is left."""
    recorded = Recorded(BeamSearch(8, 4, 40, reduction.last))
    for seed in range(60):
        recorded.log.clear()
        one(recorded, policy=ScriptedPolicy(min_depth=1, max_depth=4), seed=seed)
        history = rounds(recorded)
        sizes = [len(sample.trajectories) for sample, _ in history]
        done = 0
        for size, (_, children) in zip(sizes[1:], history, strict=False):
            done += sum(child.finished for child in children)
            live = sum(child.live for child in children)
            assert size == min(8 - done, 4 * live)
        if 5 in sizes:
            sample = history[sizes.index(5)][0]
            assert sorted(Counter(sample.trajectories).values()) == [1, 4]
            assert sample.trajectories[0] == sample.trajectories[3] != sample.trajectories[4]
            return
    pytest.fail("no run with five slots left")


def test_at_most_max_steps_rounds_and_the_unfinished_are_no_candidates() -> None:
    policy = ScriptedPolicy(min_depth=2, max_depth=30)
    outcome = one(BeamSearch(8, 4, 3, reduction.last), policy=policy)
    assert outcome.ledger.generations <= 24
    assert max(len(candidate.steps) for candidate in outcome.candidates) <= 3
    assert all(candidate.finished for candidate in outcome.candidates)


def test_a_better_prm_finds_more_right_answers_than_a_random_one() -> None:
    def right(quality: float) -> int:
        outcomes = simulate(BeamSearch(8, 4, 40, reduction.last), prm=ScriptedPRM(quality=quality)).values()
        return sum(is_right(candidate) for outcome in outcomes for candidate in outcome.candidates)

    assert right(0.0) < right(0.8) < right(1.0)


def test_width_n_keeps_one() -> None:
    outcome = one(BeamSearch(4, 4, 40, reduction.last), policy=ScriptedPolicy(min_depth=4, max_depth=4))
    assert len({candidate.steps[-2].node for candidate in outcome.candidates}) == 1


def test_width_one_never_prunes() -> None:
    outcome = one(BeamSearch(4, 1, 40, reduction.last))
    assert outcome.ledger.discarded_tokens == 0
    assert len(outcome.candidates) == 4


@settings(max_examples=40)
@given(st.sampled_from([1, 2, 3, 4]), st.integers(1, 4), st.integers(1, 4), st.integers(0, 4), st.integers(0, 9))
def test_n_candidates_come_out_of_any_shape(width: int, kept: int, depth: int, spread: int, seed: int) -> None:
    n = width * kept
    recorded = Recorded(BeamSearch(n, width, 40, reduction.last))
    outcome = one(recorded, policy=ScriptedPolicy(min_depth=depth, max_depth=depth + spread), seed=seed)
    assert len(outcome.candidates) <= n
    assert len(outcome.candidates) == n or spread
    for sample, _ in rounds(recorded):
        assert max(Counter(sample.trajectories).values()) <= (width if sample.trajectories[0].steps else n)
