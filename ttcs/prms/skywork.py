"""Skywork's PRMs (Skywork-o1-Open-PRM-Qwen-2.5-1.5B, -7B): a value head judges each line of plain text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn
from transformers import Qwen2Model, Qwen2PreTrainedModel

from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.models.pieces import Pieces, Prefix
from ttcs.prms.format import Reader
from ttcs.prms.own_head import OwnHead
from ttcs.prms.repack import repack
from ttcs.prms.verdict import token_id

NAMES = {"v_head.summary.weight": "score.weight", "v_head.summary.bias": "score.bias"}


class Qwen2ForPrmModel(Qwen2PreTrainedModel):  # type: ignore[misc]
    """The layers and the head under the names they have in the checkpoints, which need a package of their own."""

    _keys_to_ignore_on_load_unexpected = (r"lm_head\.",)

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.model = Qwen2Model(config)
        self.v_head = nn.ModuleDict({"summary": nn.Linear(config.hidden_size, 1)})
        self.post_init()


@dataclass(frozen=True, slots=True)
class Skywork:
    """BOS, the question, a newline, and the lines of the solution, each with the newline token behind it.

    Every line is encoded on its own, as in Skywork's inference code: no token spans the end of a line. Blank lines are
    left out. The score of a step is the sigmoid of the value at the newline behind its last line.
    """

    @property
    def head(self) -> OwnHead:
        return HEAD

    def reader(self, tokenizer: Any, model: str) -> Reader:
        if tokenizer.bos_token is None:
            raise UserError(f"PRM {model}: its tokenizer has no token for the beginning of a text")
        newline = (token_id(tokenizer, "\n", model),)
        pieces = Pieces(tokenizer)

        def read(problem: Problem, steps: Sequence[str], attempts: Sequence[str] = ()) -> list[Prefix | None]:
            tokens = pieces.first(f"{tokenizer.bos_token}{problem.question}\n")
            prefixes: list[Prefix | None] = []
            for step in steps:
                for line in filter(str.strip, step.split("\n")):
                    tokens += pieces.inner(line) + newline
                prefixes.append(tokens)
            return prefixes

        return read


def _pooled(model: str) -> Mapping[str, Any]:
    """vLLM knows neither the architecture nor the head: a copy says them in words that it knows."""
    config = {"architectures": ["Qwen2ForSequenceClassification"], "num_labels": 1}
    return {"model": repack(model, NAMES, config), "runner": "pooling", "convert": "classify"}


HEAD = OwnHead(Qwen2ForPrmModel, "v_head", "v_head.summary", _pooled)
