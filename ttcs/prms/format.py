"""What tells one family of PRMs from another: what it reads, and how its output becomes a score."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import nn

from ttcs.core import Problem
from ttcs.models.pieces import Prefix


class Reader(Protocol):
    """Writes a solution for a PRM."""

    def __call__(self, problem: Problem, steps: Sequence[str], attempts: Sequence[str] = ()) -> Sequence[Prefix | None]:
        """For each step the tokens whose last position is read for its score.

        steps: texts, none blank. attempts: those that the solution revises, oldest first; most families leave them out.
        None: this family gives that step no score (an outcome reward model reads only the last one). The prefixes of a
        step and of a later one should share as many leading tokens as they can: that much is cached.
        """
        ...


@dataclass(frozen=True, slots=True)
class Scorer:
    """A loaded PRM: `model` (its `base_model` gives hidden states) and the head on top of them.

    head: hidden states [..., hidden] -> logits [..., labels], what `Format.scores` turns into scores; differentiable.
    parameters: weights of the head, where it is more than rows of a language model's own.
    """

    model: Any
    head: Callable[[torch.Tensor], torch.Tensor]
    parameters: int = 0


@dataclass(frozen=True, slots=True)
class NewHead:
    """A transformers class whose head, the weights that begin with `name`, a checkpoint need not have.

    What it lacks is random, for training to begin with; every other weight has to be there.
    """

    kind: Any
    name: str

    def from_pretrained(self, model: str, **settings: Any) -> tuple[Any, dict[str, Any]]:
        loaded, report = self.kind.from_pretrained(model, **settings)
        missing = {key for key in report["missing_keys"] if not key.startswith(f"{self.name}.")}
        return loaded, {**report, "missing_keys": missing}


def with_head(model: Any, name: str) -> Scorer:
    """A model and the module of it that judges hidden states: in float32 whatever the model's precision, as on vLLM.

    The module is looked up when it is called, as training may have wrapped it by then.
    """
    head: nn.Module = model.get_submodule(name).float()
    parameters = sum(weight.numel() for weight in head.parameters())
    return Scorer(model, lambda hidden: model.get_submodule(name)(hidden.float()), parameters)


class Format(Protocol):
    """One scoring format; a frozen dataclass whose fields are what may differ from checkpoint to checkpoint."""

    def reader(self, tokenizer: Any, model: str) -> Reader:
        """How solutions are written for this PRM. UserError when the tokenizer lacks what the format needs."""
        ...

    def load(
        self, model: str, tokenizer: Any, dtype: str, device: str, new_head: bool = False, **config: Any
    ) -> Scorer:
        """The checkpoint on transformers, in evaluation mode.

        new_head: a head of this format that the checkpoint lacks is random, for training to begin with; else that is a
        UserError. config: fields of the model's config that are to have other values.
        """
        ...

    def log_odds(self, logits: torch.Tensor) -> torch.Tensor:
        """Logits [..., labels] -> the logit [...] of the score: what training compares with a label."""
        ...

    def scores(self, logits: torch.Tensor) -> torch.Tensor:
        """Logits [..., labels] -> scores [...] in [0, 1], the sigmoid of the log-odds: the same on every engine."""
        ...

    def pooling(self, model: str, tokenizer: Any) -> Mapping[str, Any]:
        """Arguments with which vLLM serves the checkpoint as a token classifier that gives the same logits.

        `model` may be among them (a repacked folder). UserError when vLLM does not serve it.
        """
        ...
