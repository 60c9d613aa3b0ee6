"""Outcome reward models: sequence classifiers that judge a solution as a whole (Cobbe et al., 2021)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from transformers import AutoModelForSequenceClassification

from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.models.load import load_model
from ttcs.models.pieces import Pieces, Prefix, solutions
from ttcs.prms.format import Reader
from ttcs.prms.head import Scorer
from ttcs.prms.own_head import NewHead, with_head


@dataclass(frozen=True, slots=True)
class Outcome:
    """A chat: the question, and the solution so far as the assistant's answer, to the end of its turn.

    Only the last step handed in gets a score: the sigmoid of the one logit at the last token, or of two the probability
    of the second. In a search by steps it judges a partial solution as if it were whole; read it with reduction=last.

    system: system prompt, None: the template's own.
    attempts: of a revision the latest so many of the attempts before it come first in the chat (Snell et al., 2024,
    appendix on the revision verifier); request: what the user says to each of them.
    """

    system: str | None = None
    attempts: int = 0
    request: str = ""

    @property
    def head(self) -> Classifier:
        return Classifier()

    def reader(self, tokenizer: Any, model: str) -> Reader:
        pieces = Pieces(tokenizer)
        answer = pieces.answer(self.system)
        if self.attempts and not self.request:
            raise UserError(f"PRM {model} reads {self.attempts} earlier attempts: prm.format.request says what follows")

        def read(problem: Problem, steps: Sequence[str], attempts: Sequence[str] = ()) -> list[Prefix | None]:
            shown = tuple(attempts[-self.attempts :]) if self.attempts else ()
            found = solutions(answer(problem.question, shown, self.request), steps, pieces)
            return [*[None] * (len(found) - 1), *found[-1:]]

        return read


@dataclass(frozen=True, slots=True)
class Classifier:
    """A sequence classifier of one label or two; of two the second is the good one."""

    quantizable: ClassVar[bool] = False

    def load(
        self, model: str, tokenizer: Any, dtype: str, device: str, new_head: bool = False, **config: Any
    ) -> Scorer:
        kind: Any = AutoModelForSequenceClassification
        if new_head:
            kind, config = NewHead(kind, "score"), {"num_labels": 1, **config}
        loaded = load_model(model, dtype, device, kind, **config)
        if loaded.config.num_labels > 2:
            raise UserError(f"PRM {model} has {loaded.config.num_labels} classes: one or two make a score")
        return with_head(loaded, "score")

    def log_odds(self, logits: torch.Tensor) -> torch.Tensor:
        return logits[..., 0] if logits.shape[-1] == 1 else logits[..., 1] - logits[..., 0]

    def scores(self, logits: torch.Tensor) -> torch.Tensor:
        # Rewards have no bounds: in single precision all above 17 are one.
        return torch.sigmoid(self.log_odds(logits).double())

    def pooling(self, model: str, tokenizer: Any) -> Mapping[str, Any]:
        return {"runner": "pooling", "convert": "classify"}
