from __future__ import annotations

import pytest

from tests.simulation import Recorded, one
from ttcs import reduction
from ttcs.core import Parallel, Problem, Sample, Score, Search, Step, Stop, Trajectory
from ttcs.policies.scripted import ScriptedPolicy
from ttcs.strategies.dvts import DVTS


def texts(trajectories: tuple[Trajectory, ...], subtree: int) -> list[str]:
    return [trajectory.text for trajectory in trajectories if trajectory.subtree == subtree]


def begun(strategy: DVTS) -> tuple[Search, ...]:
    request = next(strategy.search(Problem("p", "?")))
    assert isinstance(request, Parallel)
    return request.searches


def test_exact_counts() -> None:
    outcome = one(DVTS(8, 4, 40, reduction.last), policy=ScriptedPolicy(min_depth=5, max_depth=5))
    assert outcome.ledger.generations == len(outcome.tree) == 8 * 5
    assert [candidate.subtree for candidate in outcome.candidates] == [0] * 4 + [1] * 4


def test_every_subtree_keeps_its_own_best() -> None:
    """No comparison across subtrees: the best of a bad subtree stays although all of another one are better."""
    recorded = Recorded(DVTS(16, 4, 40, reduction.last))
    one(recorded, policy=ScriptedPolicy(min_depth=5, max_depth=5))
    kept: list[list[float]] = []
    for i in range(4):
        log = [(request, reply) for request, reply in recorded.log if reply[0].subtree == i]
        assert len(log) == 10
        kept.append([])
        for (_, children), (sample, _) in zip(log[1::2], log[2::2], strict=False):
            assert isinstance(sample, Sample)
            best = max(children, key=lambda child: reduction.last(child.scores))
            assert sample.trajectories == (best,) * 4
            kept[-1].append(best.scores[-1])
    assert any(min(scores) < max(scores) for scores in zip(*kept, strict=True))  # else the case shows nothing


def test_no_subtree_is_better_for_another_ones_scores() -> None:
    """The first subtree of a large run is the small run."""
    policy = ScriptedPolicy(min_depth=3, max_depth=7)
    large, small = (one(DVTS(n, 4, 40, reduction.last), policy=policy).candidates for n in (16, 4))
    assert texts(large, 0) == texts(small, 0)


def test_width_n_is_one_tree() -> None:
    outcome = one(DVTS(8, 8, 40, reduction.last), policy=ScriptedPolicy(min_depth=4, max_depth=4))
    inner = {node.parent for node in outcome.tree}
    assert len(inner) == 4  # the problem and the one kept at each of three depths
    assert {candidate.subtree for candidate in outcome.candidates} == {0}


def test_width_one_is_best_of_n_step_by_step() -> None:
    outcome = one(DVTS(6, 1, 40, reduction.last))
    assert all(candidate.finished for candidate in outcome.candidates)
    assert outcome.ledger.discarded_tokens == 0


def test_each_subtree_ends_when_its_best_is_finished() -> None:
    recorded = Recorded(DVTS(16, 4, 40, reduction.last))
    outcome = one(recorded, policy=ScriptedPolicy(min_depth=2, max_depth=8))
    sampled = [reply[0].subtree for request, reply in recorded.log if isinstance(request, Sample)]
    assert len({sampled.count(i) for i in range(4)}) > 1
    assert len(outcome.candidates) == 16
    for i in range(4):
        family = [candidate for candidate in outcome.candidates if candidate.subtree == i]
        assert max(family, key=lambda child: reduction.last(child.scores)).finished
        assert len({candidate.steps[:-1] for candidate in family}) == 1


def test_unfinished_siblings_are_listed_but_not_finished() -> None:
    outcome = one(DVTS(16, 4, 40, reduction.last), policy=ScriptedPolicy(min_depth=2, max_depth=8))
    assert {candidate.finished for candidate in outcome.candidates} == {True, False}


def test_ends_at_max_steps() -> None:
    outcome = one(DVTS(8, 4, 3, reduction.last), policy=ScriptedPolicy(min_depth=9, max_depth=9))
    assert outcome.ledger.generations == 24
    assert len(outcome.candidates) == 8 and not any(candidate.finished for candidate in outcome.candidates)


@pytest.mark.parametrize(("stops", "goes_on"), [((Stop.LENGTH, Stop.STEP), True), ((Stop.LENGTH, Stop.LENGTH), False)])
def test_what_was_cut_off_is_passed_over(stops: tuple[Stop, Stop], goes_on: bool) -> None:
    (search,) = begun(DVTS(2, 2, 40, reduction.last))
    sample = next(search)
    assert isinstance(sample, Sample)
    score = search.send(
        tuple(
            trajectory.extend([Step(i, (1,), "x", stop, score=1.0 - i)])
            for i, (trajectory, stop) in enumerate(zip(sample.trajectories, stops, strict=True))
        )
    )
    assert isinstance(score, Score)
    if goes_on:
        request = search.send(score.trajectories)
        assert isinstance(request, Sample)
        assert [trajectory.steps[-1].node for trajectory in request.trajectories] == [1, 1]
    else:
        with pytest.raises(StopIteration) as end:
            search.send(score.trajectories)
        assert end.value.value == score.trajectories
