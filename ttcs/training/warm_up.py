"""Warms a small PRM up on solutions graded by the zoo's generator: their steps and tokens are labelled exactly."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM

from ttcs.models.load import load_model, load_tokenizer
from ttcs.prms.conversation import Conversation
from ttcs.prms.verdict import token_id
from ttcs.training.examples import table
from ttcs.training.rollout_file import read_solutions
from ttcs.training.split import held_out
from ttcs.training.steps import FEATURES, Collator, Early, StepLoss, encode
from ttcs.training.trainer import fit


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Stage: a PRM in RLHFlow's format learns to check what it reads, before it is trained on rollouts (`Verifier`).

    solutions: a folder of graded solutions. start: a language model; deepen: layers put on top of it. token_loss,
    next_loss, own_loss: weights of the terms that help where single tokens are labelled (`StepLoss`). All others: see
    `Verifier`.
    """

    solutions: str
    start: str
    out: str
    work: str
    seed: int
    validation: float
    patience: int
    arguments: Mapping[str, Any]
    deepen: int = 0
    token_loss: float = 0.0
    next_loss: float = 0.0
    own_loss: float = 0.0
    saved: str | None = None

    def run(self) -> None:
        torch.manual_seed(self.seed)
        tokenizer = load_tokenizer(self.start)
        plus, minus = (token_id(tokenizer, sign, self.start) for sign in "+-")
        train, validation = self._datasets(tokenizer)
        model = deepened(load_model(self.start, "float32", "cpu"), self.deepen)
        early = Early(model) if self.own_loss else None
        fit(
            model,
            tokenizer,
            train,
            validation,
            Collator(tokenizer.pad_token_id),
            self.out,
            self.work,
            self.seed,
            self.arguments,
            loss=StepLoss(plus, minus, self.token_loss, self.next_loss, self.own_loss, early),
            after=self.patience,
            saved=self.saved,
        )

    def _datasets(self, tokenizer: Any) -> tuple[Dataset, Dataset]:
        conversation = Conversation(tokenizer)

        def side(validation: bool) -> Dataset:
            solutions = read_solutions(self.solutions)
            own = (line for line in solutions if held_out(line["question"], self.validation) == validation)
            return table((encode(tokenizer, conversation, line) for line in own), FEATURES)

        return side(False), side(True)


def deepened(model: Any, layers: int) -> Any:
    """The same model with more layers on top, which at first add nothing.

    A language model has its prediction only in its last layer; comparing it with what was written takes layers above.
    """
    if layers == 0:
        return model
    config = copy.deepcopy(model.config)
    config.num_hidden_layers += layers
    if getattr(config, "layer_types", None):
        config.layer_types = [*config.layer_types, *config.layer_types[-1:] * layers]
    deeper = AutoModelForCausalLM.from_config(config)
    deeper.load_state_dict(model.state_dict(), strict=False)
    for layer in deeper.model.layers[-layers:]:
        torch.nn.init.zeros_(layer.self_attn.o_proj.weight)
        torch.nn.init.zeros_(layer.mlp.down_proj.weight)
    return deeper
