"""How the likelihoods of a solution's tokens become the score of a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from typing import ClassVar, Protocol


class Reward(Protocol):
    """Likelihoods -> a score in [0, 1]."""

    @property
    def compares(self) -> bool:
        """Whether there is a reference to compare with."""
        ...

    def __call__(self, own: Sequence[float], reference: Sequence[float], start: int) -> float:
        """The score of the step that begins with token `start`.

        own: natural logarithms of the probabilities of the solution's tokens up to the end of that step. reference:
        those of the reference, as many; none where nothing is compared.
        """
        ...


@dataclass(frozen=True, slots=True)
class LogRatio:
    """sigmoid(beta * sum over tokens of (log pi(token) - log pi_ref(token))) (Yuan et al., 2024; Cui et al., 2025).

    The papers' reward of a step sums over its own tokens, and so does this. cumulative: over all of the solution so far
    instead, which is their Q value (the rewards of the steps up to here added up), and at the end the outcome's.
    """

    compares: ClassVar[bool] = True
    beta: float = 0.05
    cumulative: bool = False

    def __call__(self, own: Sequence[float], reference: Sequence[float], start: int) -> float:
        first = 0 if self.cumulative else start
        return _sigmoid(self.beta * (sum(own[first:]) - sum(reference[first:])))


@dataclass(frozen=True, slots=True)
class Least:
    """sigmoid((the least log-probability of any token so far - centre) / scale), for a model that knows the task.

    To a model without doubt on what comes next the first wrong token is a surprise, and nothing after it mends that.
    centre: the log-probability at which a token is as well right as wrong. scale: how far from there one is sure.
    """

    compares: ClassVar[bool] = False
    centre: float = -3.0
    scale: float = 0.7

    def __call__(self, own: Sequence[float], reference: Sequence[float], start: int) -> float:
        return _sigmoid((min(own) - self.centre) / self.scale)


def _sigmoid(value: float) -> float:
    """Far below 0 as many digits as near it, so that what is very unlikely can still be told apart."""
    return exp(min(value, 0.0)) / (1 + exp(-abs(value)))
