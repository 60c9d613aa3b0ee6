"""Trains a PRM on soft step labels (Snell et al., 2024, appendix D), in RLHFlow's chat format."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, EarlyStoppingCallback, Trainer, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from ttcs.errors import UserError
from ttcs.prms.conversation import Conversation
from ttcs.prms.verdict import token_id
from ttcs.training.steps import Collator, StepLoss, encode, read_solutions


@dataclass(frozen=True, slots=True)
class ProcessRewardModel:
    """Stage: binary cross-entropy of P("+") against the soft label at every step end.

    rollouts: the folder the rollouts stage wrote. start: the model to begin with. validation: share of the
    *questions* held out; training stops when their loss has not fallen for `patience` evaluations, and the best
    checkpoint is kept. arguments: fields of transformers' TrainingArguments. deepen: layers put on top of `start`.
    token_loss, next_loss: weights of the two terms that help where single tokens are labelled (`StepLoss`).
    """

    rollouts: str
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

    def run(self) -> None:
        torch.manual_seed(self.seed)
        tokenizer = AutoTokenizer.from_pretrained(self.start)
        plus, minus = (token_id(tokenizer, sign, self.start) for sign in "+-")
        train, held_out = self._datasets(tokenizer)
        trainer = Trainer(
            model=deepened(AutoModelForCausalLM.from_pretrained(self.start, dtype="float32"), self.deepen),
            args=TrainingArguments(
                output_dir=self.work, seed=self.seed, use_cpu=not torch.cuda.is_available(), **self.arguments
            ),
            train_dataset=train,
            eval_dataset=held_out,
            data_collator=Collator(tokenizer.pad_token_id),
            compute_loss_func=StepLoss(plus, minus, self.token_loss, self.next_loss),
            callbacks=[EarlyStoppingCallback(self.patience)],
        )
        trainer.train(resume_from_checkpoint=get_last_checkpoint(self.work) if Path(self.work).is_dir() else None)
        if trainer.is_world_process_zero():
            trainer.model.save_pretrained(self.out)
            tokenizer.save_pretrained(self.out)

    def _datasets(self, tokenizer: Any) -> tuple[Dataset, Dataset]:
        files = sorted(Path(self.rollouts).glob("*.jsonl"))
        if not files:
            raise UserError(f"no rollouts (*.jsonl) in {self.rollouts}")
        conversation = Conversation(tokenizer)

        def examples(validation: bool) -> Iterator[dict[str, Any]]:
            for solution in read_solutions(files):
                if held_out(solution["question"], self.validation) == validation:
                    yield encode(tokenizer, conversation, solution)

        # A cache of its own: the library's would hand out old examples when a file or the tokenizer has changed.
        with TemporaryDirectory() as cache:
            train, held = (
                Dataset.from_generator(partial(examples, side), cache_dir=cache, keep_in_memory=True)
                for side in (False, True)
            )
        return train, held


def held_out(question: str, share: float) -> bool:
    """Whether a question is on the validation side, by a hash of its text."""
    return int.from_bytes(hashlib.blake2b(f"split/{question}".encode(), digest_size=4).digest()) < share * 2**32


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
