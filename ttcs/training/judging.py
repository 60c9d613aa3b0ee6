"""A PRM of any format as a model that transformers' Trainer trains, and its loss."""

from __future__ import annotations

from dataclasses import dataclass
from types import MethodType
from typing import Any

import torch
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers.modeling_outputs import TokenClassifierOutput

from ttcs.errors import UserError
from ttcs.models.load import load_config
from ttcs.prms.format import Format
from ttcs.prms.head import Scorer
from ttcs.training.examples import UNLABELLED


def judging(scorer: Scorer) -> Any:
    """The PRM's model, whose forward now gives what its head says at every token: [batch, tokens, labels].

    It is the forward that changes and not the class, so that the model is saved, sharded, adapted and loaded as what it
    is; and it has to be the forward, because wrappers for several devices gather weights and gradients around it. A
    language model's head is never multiplied beyond the two rows of its verdicts, however large the vocabulary.
    """

    def forward(self: Any, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> TokenClassifierOutput:
        layers = self.base_model(input_ids=input_ids, attention_mask=attention_mask, use_cache=False)
        return TokenClassifierOutput(logits=scorer.head(layers.last_hidden_state))

    scorer.model.forward = MethodType(forward, scorer.model)
    return scorer.model


@dataclass(frozen=True, slots=True)
class LabelLoss:
    """Binary cross-entropy of the score against the soft label, a mean over all labels of an accumulated batch."""

    format: Format

    def __call__(self, outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        known = labels != UNLABELLED
        odds = self.format.head.log_odds(outputs.logits.float())[known]
        loss = binary_cross_entropy_with_logits(odds, labels[known], reduction="sum")
        return loss / (known.sum() if num_items_in_batch is None else num_items_in_batch)


def dropouts(model: str, rate: float) -> dict[str, float]:
    """The fields of a model's config with which it drops at this rate wherever its architecture can.

    Llama, Mistral and Qwen can only with attention weights (`attention_dropout`); GPT-2, for one, with embeddings and
    the outputs of its layers too. UserError when the architecture has no dropout.
    """
    fields = load_config(model).to_dict()
    names = [name for name, value in fields.items() if name.endswith(("dropout", "pdrop")) and value is not None]
    if rate and not names:
        raise UserError(f"stage.dropout={rate}, but {model} is of an architecture without dropout")
    return dict.fromkeys(names, rate)
