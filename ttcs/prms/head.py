"""How a checkpoint's output becomes a score: logits -> log-odds -> [0, 1]."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch


@dataclass(frozen=True, slots=True)
class Scorer:
    """A loaded PRM: `model` (its `base_model` gives hidden states) and the head on top of them.

    head: hidden states [..., hidden] -> logits [..., labels], what `Head.scores` turns into scores; differentiable.
    parameters: weights of the head, where it is more than rows of a language model's own.
    """

    model: Any
    head: Callable[[torch.Tensor], torch.Tensor]
    parameters: int = 0


class Head(Protocol):
    """How a checkpoint's output becomes a score: shared by families that read differently."""

    @property
    def quantizable(self) -> bool:
        """Whether an engine may quantize the checkpoint while it loads it, which would take in a head of its own."""
        ...

    def load(
        self, model: str, tokenizer: Any, dtype: str, device: str, new_head: bool = False, **config: Any
    ) -> Scorer:
        """The checkpoint on transformers, in evaluation mode.

        new_head: a head of this kind that the checkpoint lacks is random, for training to begin with; else that is a
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
