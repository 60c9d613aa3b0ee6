"""A verifier that says the same of everything is broken: quantized too far, or loaded wrongly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ttcs.errors import EngineError

ENOUGH = 32  # different solutions, by as many different tokens


@dataclass(slots=True)
class Alike:
    """Watches the log-odds of different beginnings of solutions until two differ.

    Log-odds and no scores, which are all 1 where a verifier is sure enough.
    """

    model: str
    _seen: int = field(init=False, default=0)
    _first: float | None = field(init=False, default=None)
    _differ: bool = field(init=False, default=False)

    def watch(self, log_odds: Iterable[float]) -> None:
        """EngineError once `ENOUGH` are the same."""
        if self._differ:
            return
        for value in log_odds:
            self._first = value if self._seen == 0 else self._first
            self._seen += 1
            if value != self._first and value == value:
                self._differ = True
                return
        if self._seen >= ENOUGH:
            raise EngineError(
                f"prm: {self.model} gave {self._seen} different solutions the same log-odds ({self._first}), so its "
                "scores mean nothing: see prm.quantization and prm.dtype, and `python -m ttcs.check`"
            )
