"""RLHFlow's PRMs (Llama3.1-8B-PRM-Deepseek-Data, -Mistral-Data): a chat in which each step is answered "+" or "-"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ttcs.core import Problem
from ttcs.models.pieces import Prefix
from ttcs.prms.conversation import Conversation
from ttcs.prms.format import Reader
from ttcs.prms.verdict import Verdict


@dataclass(frozen=True, slots=True)
class RLHFlow:
    """Each step is a user turn (the first one with the question in front), each answer an assistant turn "+".

    The score of a step is P("+") against P("-") where the model would answer it: the two-way softmax of the logits that
    predict the answer.
    """

    good: str = "+"
    bad: str = "-"

    @property
    def head(self) -> Verdict:
        return Verdict(self.good, self.bad)

    def reader(self, tokenizer: Any, model: str) -> Reader:
        self.head.tokens(tokenizer, model)
        conversation = Conversation(tokenizer)

        def read(problem: Problem, steps: Sequence[str], attempts: Sequence[str] = ()) -> list[Prefix | None]:
            tokens, ends = conversation.encode(problem, steps)
            return [tokens[:end] for end in ends]

        return read
