"""The chains of attempts that a run of revisions holds, and the smaller grids of them that can be read from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from ttcs.errors import UserError
from ttcs.records.stored import Stored


@dataclass(frozen=True, slots=True)
class Chains:
    """Attempts that revise each other, in chains side by side. of_run: attempts in each chain of the run at most.

    budgeted: the run had a budget, which ends chains anywhere.
    """

    attempts: int
    of_run: int
    budgeted: bool

    @classmethod
    def of(cls, run: Stored, n: int, attempts: int | None) -> Self | None:
        """None: the run has none. UserError where it does not hold n / attempts chains of so many attempts."""
        chains = run.config["strategy"].get("chains")
        if chains is None:
            if attempts is not None:
                raise UserError(f"attempts={attempts}: {run.folder} has no chains of attempts")
            return None
        of_run = own_n(run) // chains
        found = cls(of_run if attempts is None else attempts, of_run, _has_budget(run.config))
        if found.attempts > of_run:
            raise UserError(f"attempts={found.attempts} is more than the {of_run} of each chain of {run.folder}")
        if n % found.attempts:
            raise UserError(f"n={n} is not a multiple of attempts={found.attempts}")
        if n // found.attempts > chains:
            wanted = f"n={n} with attempts={found.attempts} is {n // found.attempts} chains"
            raise UserError(f"{wanted}, more than the {chains} of {run.folder}")
        return found


def own_n(run: Stored) -> int:
    """The n of the strategy; one that has none (greedy) is a single candidate."""
    n: int = run.config["strategy"].get("n", 1)
    return n


def _has_budget(config: Mapping[str, Any]) -> bool:
    limits = config.get("budget") or {}
    return any(limit is not None for key, limit in limits.items() if key != "_target_")
