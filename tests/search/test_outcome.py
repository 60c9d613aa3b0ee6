"""Searches with a verifier that scores the last step only."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from tests import tiny
from tests.simulation import STRATEGIES, CountingPRM, one
from ttcs.core import Judged, Strategy
from ttcs.strategies.best_of_n import BestOfN


@dataclass
class LastOnly(CountingPRM):
    """As an outcome reward model: a score for the last step that is not blank, and what has one keeps it."""

    def step(self) -> list[tuple[int, Judged]]:
        return [(ticket, self._last(ticket, judged)) for ticket, judged in super().step()]

    def _last(self, ticket: int, judged: Judged) -> Judged:
        steps = self.asked[ticket].trajectory.steps
        last = max(place for place, step in enumerate(steps) if not step.blank)
        scores = [judged.scores[place] if place == last else step.score for place, step in enumerate(steps)]
        return replace(judged, scores=tuple(scores))


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)
def test_every_search_ends_and_judges_nothing_twice(strategy: Strategy) -> None:
    prm = LastOnly()
    outcome = one(strategy, prm=prm)
    finished = [candidate for candidate in outcome.candidates if candidate.finished]
    assert finished and all(candidate.scored for candidate in finished if len(finished) > 1)
    ends = [judge.trajectory.steps[-1].node for judge in prm.asked.values()]
    assert len(ends) == len(set(ends)) == outcome.ledger.prm_calls


def test_a_whole_solution_has_one_score() -> None:
    outcome = one(BestOfN(4), prm=LastOnly())
    assert [len(candidate.scores) for candidate in outcome.candidates] == [1] * 4


@pytest.mark.parametrize(
    ("texts", "scores", "scored"),
    [
        ((), (), True),
        ((" ", "\n"), (None, None), True),
        (("a", "b"), (None, 0.5), True),
        (("a", "b", "\n"), (None, 0.5, None), True),
        (("a", "b"), (0.5, None), False),
        (("a", "b"), (None, None), False),
    ],
)
def test_scored_is_what_its_last_words_are(
    texts: tuple[str, ...], scores: tuple[float | None, ...], scored: bool
) -> None:
    trajectory = tiny.trajectory(*texts)
    steps = tuple(replace(step, score=score) for step, score in zip(trajectory.steps, scores, strict=True))
    assert replace(trajectory, steps=steps).scored is scored
