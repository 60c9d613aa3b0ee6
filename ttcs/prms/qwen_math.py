"""Qwen's PRMs (Zhang et al., 2025; Qwen2.5-Math-PRM-7B, -72B, Qwen2.5-Math-7B-PRM800K): a token classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn
from transformers import Qwen2Model, Qwen2PreTrainedModel

from ttcs.core import Problem
from ttcs.models.pieces import Pieces, Prefix
from ttcs.prms.format import Reader
from ttcs.prms.own_head import OwnHead
from ttcs.prms.verdict import token_id


class Qwen2ForProcessRewardModel(Qwen2PreTrainedModel):  # type: ignore[misc]
    """The layers and the head under the names they have in the checkpoints, which come with code of their own."""

    _keys_to_ignore_on_load_unexpected = (r"lm_head\.",)

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.model = Qwen2Model(config)
        size = config.hidden_size
        self.score = nn.Sequential(nn.Linear(size, size), nn.ReLU(), nn.Linear(size, 2))
        self.post_init()


@dataclass(frozen=True, slots=True)
class QwenMath:
    """A chat: the system prompt, the question, and as the assistant's answer the steps, `separator` behind each.

    The score of a step is the probability of the second of two classes at the separator behind it.
    """

    system: str = "Please reason step by step, and put your final answer within \\boxed{}."
    separator: str = "<extra_0>"

    @property
    def head(self) -> OwnHead:
        return HEAD

    def reader(self, tokenizer: Any, model: str) -> Reader:
        separator = (token_id(tokenizer, self.separator, model),)
        pieces = Pieces(tokenizer)
        frame = pieces.answer(self.system)

        def read(problem: Problem, steps: Sequence[str], attempts: Sequence[str] = ()) -> list[Prefix | None]:
            tokens = frame(problem.question).head
            prefixes: list[Prefix | None] = []
            for step in steps:
                tokens += pieces.inner(step.strip()) + separator
                prefixes.append(tokens)
            return prefixes

        return read


def _pooled(model: str) -> Mapping[str, Any]:
    """vLLM has a class of its own for the architecture that the checkpoints name."""
    return {"runner": "pooling"}


HEAD = OwnHead(Qwen2ForProcessRewardModel, "score", "score", _pooled)
