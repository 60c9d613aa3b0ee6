from __future__ import annotations

from dataclasses import replace

import pytest

from ttcs.core import Continue, Judge, Problem, Step, Stop, Trajectory
from ttcs.policies.scripted import ScriptedPolicy, is_right
from ttcs.prms.scripted import ScriptedPRM

ROOT = Trajectory(Problem("p", "What is 1 and 1?", "2", level=5))


def solutions(n: int) -> list[Trajectory]:
    policy = ScriptedPolicy()
    return [ROOT.extend(policy.continued(Continue(ROOT, None, None, None, seed)).steps) for seed in range(n)]


def final(prm: ScriptedPRM, trajectory: Trajectory) -> float:
    score = prm.judged(trajectory).scores[-1]
    assert score is not None
    return score


@pytest.mark.parametrize("quality", [0.0, 0.4, 0.8, 1.0])
def test_quality(quality: float) -> None:
    """Share of right verdicts: half of what the quality leaves over is wrong."""
    pool = solutions(3000)
    prm = ScriptedPRM(quality=quality)
    verdicts = [(final(prm, solution) >= 0.5) == is_right(solution) for solution in pool]
    assert sum(verdicts) / len(verdicts) == pytest.approx((1 + quality) / 2, abs=0.03)
    assert quality < 1 or all(verdicts)


def test_the_text_decides() -> None:
    a, b = solutions(2)
    prm = ScriptedPRM()
    assert prm.judged(a) == ScriptedPRM().judged(a)
    assert prm.judged(a).scores != prm.judged(b).scores
    assert prm.judged(a).scores != ScriptedPRM(seed=1).judged(a).scores


def test_a_prefix_has_the_scores_of_the_whole() -> None:
    (whole,) = solutions(1)
    prm = ScriptedPRM()
    for depth in range(len(whole.steps) + 1):
        assert prm.judged(whole.prefix(depth)).scores == prm.judged(whole).scores[:depth]


def test_scores_are_spread_out() -> None:
    scores = sorted(final(ScriptedPRM(), solution) for solution in solutions(1000))
    assert len(set(scores)) > 990
    assert 0 <= scores[0] < 0.05 and 0.95 < scores[-1] <= 1


def test_counts_what_is_cached() -> None:
    (whole,) = solutions(1)
    lengths = [len(step.tokens) for step in whole.steps]
    prm = ScriptedPRM()
    assert (prm.judged(whole).tokens, prm.judged(whole).cached_tokens) == (5 + sum(lengths), 0)
    known = replace(whole, steps=(replace(whole.steps[0], score=0.5), *whole.steps[1:]))
    assert prm.judged(known).cached_tokens == 5 + lengths[0]


def test_blank_steps_have_no_score() -> None:
    (whole,) = solutions(1)
    blank = whole.extend([Step(-1, (1,), " \n", Stop.STEP)])
    assert ScriptedPRM().judged(blank).scores == (*ScriptedPRM().judged(whole).scores, None)


def test_batches() -> None:
    prm = ScriptedPRM(capacity=4)
    for ticket, solution in enumerate(solutions(10)):
        prm.add(ticket, Judge(solution))
    assert [len(prm.step()) for _ in range(4)] == [4, 4, 2, 0]


def test_blind_to_the_mistakes_of_some_problems() -> None:
    """Of an oracle that is blind to 30 % of the problems: there a wrong solution looks right, elsewhere it does not."""
    prm = ScriptedPRM(quality=1.0, blind=0.3)
    wrong = next(solution for solution in solutions(100) if not is_right(solution))
    fooled = [final(prm, replace(wrong, problem=replace(ROOT.problem, id=f"p{i}"))) >= 0.5 for i in range(1000)]
    assert sum(fooled) / 1000 == pytest.approx(0.3, abs=0.05)
