"""How sure a model is of the tokens of a request, as they come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, fsum, isnan, nan

from ttcs.core import Confidence

LOWEST = 10  # one in so many windows is among the lowest (Fu et al., 2025)
DIGITS = 4  # of a confidence: those behind depend on what else is in the batch


@dataclass(slots=True)
class Sureness:
    """tokens: the confidence of each. least: (threshold, window), see `Sample`; None: windows are of no account."""

    least: tuple[float, int] | None
    tokens: list[float] = field(init=False, default_factory=list)
    _windows: list[float] = field(init=False, default_factory=list)  # by last token; nan: not full

    def add(self, confidence: float) -> None:
        """That of the next token."""
        self.tokens.append(round(confidence, DIGITS))
        if self.least is not None:
            _, size = self.least
            self._windows.append(fsum(self.tokens[-size:]) / size if len(self.tokens) >= size else nan)

    @property
    def doubtful(self) -> bool:
        """Whether the latest window is below the threshold."""
        return self.least is not None and bool(self._windows) and self._windows[-1] < self.least[0]

    def of(self, start: int, end: int) -> Confidence | None:
        """That of the tokens from start to end, and of the windows that end among them; None: there are none."""
        if end <= start or end > len(self.tokens):
            return None
        return confidence(self.tokens[start:end], self._windows[:end], start)


def confidence(tokens: Sequence[float], windows: Sequence[float], start: int) -> Confidence:
    """Of some tokens, from `start` on, and of all windows up to the last of them (nan: not full)."""
    mean = fsum(tokens) / len(tokens)
    own = [window for window in windows[start:] if not isnan(window)]
    if not own:
        return Confidence(mean)
    lowest = sorted(window for window in windows if not isnan(window))
    lowest = lowest[: ceil(len(lowest) / LOWEST)]
    return Confidence(mean, min(own), own[-1], fsum(lowest) / len(lowest))
