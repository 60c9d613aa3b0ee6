"""PRMs with a head of their own on top of a language model's layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from ttcs.models.load import load_model
from ttcs.prms.head import Scorer


@dataclass(frozen=True, slots=True)
class OwnHead:
    """A transformers class whose module `name` judges hidden states, by one logit or by two classes.

    Of two the second is the good one. root: what the names of its weights begin with. pooled: see `Head.pooling`.
    """

    quantizable: ClassVar[bool] = False
    kind: Any
    root: str
    name: str
    pooled: Callable[[str], Mapping[str, Any]]

    def load(
        self, model: str, tokenizer: Any, dtype: str, device: str, new_head: bool = False, **config: Any
    ) -> Scorer:
        kind = NewHead(self.kind, self.root) if new_head else self.kind
        return with_head(load_model(model, dtype, device, kind, **config), self.name)

    def log_odds(self, logits: torch.Tensor) -> torch.Tensor:
        return logits[..., 0] if logits.shape[-1] == 1 else logits[..., 1] - logits[..., 0]

    def scores(self, logits: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.log_odds(logits))

    def pooling(self, model: str, tokenizer: Any) -> Mapping[str, Any]:
        return self.pooled(model)


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
