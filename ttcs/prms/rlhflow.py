"""RLHFlow's PRMs (Llama3.1-8B-PRM-Deepseek-Data, -Mistral-Data): a chat in which each step is answered "+" or "-"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ttcs.core import Problem
from ttcs.models.pieces import Prefix
from ttcs.prms.conversation import Conversation
from ttcs.prms.format import Reader, Scorer
from ttcs.prms.verdict import load_verdict, token_id, verdict_pooling


@dataclass(frozen=True, slots=True)
class RLHFlow:
    """Each step is a user turn (the first one with the question in front), each answer an assistant turn "+".

    The score of a step is P("+") against P("-") where the model would answer it: the two-way softmax of the logits that
    predict the answer.
    """

    good: str = "+"
    bad: str = "-"

    def reader(self, tokenizer: Any, model: str) -> Reader:
        self._verdicts(tokenizer, model)
        conversation = Conversation(tokenizer)

        def read(problem: Problem, steps: Sequence[str], attempts: Sequence[str] = ()) -> list[Prefix | None]:
            tokens, ends = conversation.encode(problem, steps)
            return [tokens[:end] for end in ends]

        return read

    def load(
        self, model: str, tokenizer: Any, dtype: str, device: str, new_head: bool = False, **config: Any
    ) -> Scorer:
        return load_verdict(model, self._verdicts(tokenizer, model), dtype, device, **config)

    def log_odds(self, logits: torch.Tensor) -> torch.Tensor:
        return logits[..., 0]

    def scores(self, logits: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.log_odds(logits))

    def pooling(self, model: str, tokenizer: Any) -> Mapping[str, Any]:
        return verdict_pooling(model, *tokenizer.convert_ids_to_tokens(self._verdicts(tokenizer, model)))

    def _verdicts(self, tokenizer: Any, model: str) -> tuple[int, int]:
        return token_id(tokenizer, self.good, model), token_id(tokenizer, self.bad, model)
