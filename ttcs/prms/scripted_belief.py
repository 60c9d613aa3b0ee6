"""What the simulated PRM believes of a chain of the simulated policy: it sees most mistakes, and likes some."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from ttcs.core import Problem, Step
from ttcs.policies.scripted_chain import RULE, chance, mistake, of_level

NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class ScriptedBelief:
    """The score of a chain's last step; all of it depends on the seed, the problem and what was written alone.

    steps, values: the policy's, see `ScriptedChain`.
    right: the score of a right solution at its end; fade: what a score is multiplied by for every step still to come.
    mistake: log-odds once a mistake was seen, by `missed` of the mistakes it is not; an unseen one passes for right.
    blind: share of all steps, problem by problem, at which one wrong value is never seen, but liked: `liked` are the
    log-odds of what it is in. Those two are the means of normal numbers with standard deviation `deviation`.
    check: at the last step, which checks the whole, chance that an unseen mistake is seen after all.
    noise, last_noise: standard deviation of what is added to all log-odds, and at the last step.
    """

    steps: Sequence[int] = (8, 8, 8, 7, 7)
    values: int = 6
    right: float = 0.98
    fade: float = 0.95
    mistake: float = -5.0
    missed: float = 0.002
    blind: float = 0.15
    liked: float = 1.5
    deviation: float = 1.0
    check: float = 0.95
    noise: float = 0.5
    last_noise: float = 0.7

    def score(self, problem: Problem, written: Sequence[Step], seed: int) -> float:
        """Of the last of the steps written so far, in (0, 1)."""
        ahead = self.steps[of_level(problem, self.steps)] - len(written)
        text = "".join(step.text for step in written)
        noise = self.noise if ahead > 0 else self.last_noise
        odds = self._odds(problem, written, max(0, ahead), text, seed) + noise * _normal(
            seed, "noise", problem.id, text
        )
        return 1 / (1 + math.exp(-odds))

    def _odds(self, problem: Problem, written: Sequence[Step], ahead: int, text: str, seed: int) -> float:
        wrong = [(depth, value) for depth, step in enumerate(written, 1) if (value := mistake(step.text))]
        liked = [(depth, value) for depth, value in wrong if value == self._unseen(problem, depth, seed)]
        seen = [each for each in wrong if each not in liked and not self._missed(problem, each, seed)]
        checked = bool(wrong) and not ahead and chance(seed, "check", problem.id, text) < self.check
        if seen or checked:
            return self.mistake + self.deviation * _normal(seed, "mistake", problem.id, text)
        if liked:
            return self.liked + self.deviation * _normal(seed, "liked", problem.id, *liked[0])
        belief = self.right * self.fade**ahead
        return math.log(belief / (1 - belief))

    def _unseen(self, problem: Problem, depth: int, seed: int) -> str | None:
        """The wrong value that is liked at this step of the problem."""
        if chance(seed, "blind", problem.id, depth) >= self.blind:
            return None
        number = int(chance(seed, "value", problem.id, depth) * (self.values + 1))
        return str(number) if number else RULE

    def _missed(self, problem: Problem, wrong: tuple[int, str], seed: int) -> bool:
        return chance(seed, "missed", problem.id, *wrong) < self.missed


def _normal(*parts: object) -> float:
    """A normal number of its own for whatever is named."""
    return NORMAL.inv_cdf(min(max(chance(*parts), 1e-12), 1 - 1e-12))
