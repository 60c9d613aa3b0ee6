"""Outcome reward models: sequence classifiers that judge a solution as a whole (Cobbe et al., 2021)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification

from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.models.load import load_model
from ttcs.prms.format import Prefix, Reader, Scorer, with_head
from ttcs.prms.pieces import Pieces, solutions


@dataclass(frozen=True, slots=True)
class Outcome:
    """A chat: the question, and the solution so far as the assistant's answer, to the end of its turn.

    Only the last step handed in gets a score: the sigmoid of the one logit at the last token, or of two the probability
    of the second. In a search by steps it judges a partial solution as if it were whole; read it with reduction=last.

    system: system prompt, None: the template's own.
    """

    system: str | None = None

    def reader(self, tokenizer: Any, model: str) -> Reader:
        pieces = Pieces(tokenizer)
        frame = pieces.answer(self.system)

        def read(problem: Problem, steps: Sequence[str]) -> list[Prefix | None]:
            found = solutions(frame(problem.question), steps, pieces)
            return [*[None] * (len(found) - 1), *found[-1:]]

        return read

    def load(self, model: str, tokenizer: Any, dtype: str, device: str) -> Scorer:
        loaded = load_model(model, dtype, device, AutoModelForSequenceClassification)
        if loaded.config.num_labels > 2:
            raise UserError(f"PRM {model} has {loaded.config.num_labels} classes: one or two make a score")
        return with_head(loaded, loaded.score)

    def scores(self, logits: torch.Tensor) -> torch.Tensor:
        logit = logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]
        return torch.sigmoid(logit.double())  # rewards have no bounds: in single precision all above 17 are one

    def pooling(self, model: str, tokenizer: Any) -> Mapping[str, Any]:
        return {"runner": "pooling", "convert": "classify"}
