"""How a problem is searched, by the words of the command line and by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ttcs.answers.kinds import Answering
from ttcs.config.bounds import Bounds
from ttcs.config.components import build
from ttcs.config.ranges import RANGES
from ttcs.core import Reduction, Selection, Strategy
from ttcs.errors import UserError, told
from ttcs.running.session import METHOD
from ttcs.search.budget import Budget
from ttcs.solving.heated import Heated

FREE = (*METHOD, "stopping", "n", "seed")  # what may differ from call to call
LIMITS = "tokens", "generations", "flops"  # keys of a budget
SECONDS = Bounds(0, 86_400, whole=False, above=True)  # a day


@dataclass(frozen=True, slots=True)
class Method:
    """by_scores: the votes of candidates are weighed by their scores. longest: as of an `Execution`.

    seconds: after which the best so far is given. The other fields: see `ttcs.search`, `ttcs.choice`
    and `ttcs.answers`.
    """

    strategy: Strategy
    selection: Selection
    reduction: Reduction
    budget: Budget
    answering: Answering
    seed: int
    longest: int | None = None
    seconds: float | None = None

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Method:
        """Of a configuration that is complete. UserError for what cannot be."""
        for key in ("n", "seed"):
            number(key, config[key])
        try:
            strategy, selection, reduction, budget, answering = (build(config, key) for key in METHOD)
        except Exception as error:  # Hydra's own, with ours within
            if (line := told(error)) is None:
                raise
            raise line from error
        if not isinstance(budget, Budget):
            raise UserError("budget=shared is of a run over a problem set: a solver has a budget for each problem")
        return cls(strategy, selection, reduction, budget, answering, config["seed"])

    @property
    def by_scores(self) -> bool:
        return self.selection.reads_scores

    def with_(
        self,
        strategy: Strategy | None,
        seed: int | None,
        temperature: float | None,
        longest: int | None,
        seconds: float | None,
    ) -> Method:
        """The same with what is not None in its place."""
        chosen = self.strategy if strategy is None else strategy
        if temperature is not None:
            number("temperature", temperature)
            chosen = Heated(chosen, temperature)
        if seed is not None:
            number("seed", seed)
        if longest is not None:
            number("max_tokens", longest)
        if seconds is not None and not SECONDS.hold(seconds):
            raise UserError(SECONDS.refusal("seconds", seconds))
        chosen_seed = self.seed if seed is None else seed
        return replace(self, strategy=chosen, seed=chosen_seed, longest=longest, seconds=seconds)


def number(key: str, value: object, name: str | None = None) -> None:
    """UserError for a number that is out of its range, or none at all. name: the key of the range, if it is another."""
    limits = RANGES[name or key]
    if value is None or not limits.hold(value):
        raise UserError(limits.refusal(key, value))


def joined(words: Sequence[str], own: Sequence[str], options: Mapping[str, str]) -> tuple[str, ...]:
    """Words of a solver and those of a call, which go before them; options: that a call names, by group.

    Where a call chooses an option, what the solver has set of another one is gone. UserError for what only a solver
    can be told.
    """
    given = [*own, *(f"{group}={option}" for group, option in options.items())]
    for word in given:
        if _group(word) not in FREE:
            raise UserError(f"{word} cannot differ from call to call: only {', '.join(FREE)} can")
    keys = {_key(word) for word in given}
    kept = [word for word in words if _key(word) not in keys and _group(word) not in keys]
    last = {_key(word): word for word in given}
    return (*kept, *last.values())


def limits(given: Mapping[str, object]) -> dict[str, object]:
    """Limits by the keys of the configuration."""
    if unknown := [name for name in given if name not in LIMITS]:
        names = ", ".join([*METHOD, "n", "seed", "temperature", "max_tokens", "seconds", *LIMITS])
        raise UserError(f"{unknown[0]} is none of {names}; other keys are words, as in 'strategy.width=4'")
    for name, limit in given.items():
        number(f"budget.{name}", limit, f"Budget.{name}")
    return {f"budget.{name}": limit for name, limit in given.items()}


def _key(word: str) -> str:
    return word.partition("=")[0].lstrip("+~")


def _group(word: str) -> str:
    return re.split(r"[./@]", _key(word))[0]
