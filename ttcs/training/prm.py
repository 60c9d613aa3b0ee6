"""Trains a PRM on soft step labels (Snell et al., 2024, appendix D), in RLHFlow's chat format."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, EarlyStoppingCallback, Trainer, TrainingArguments
from transformers.trainer_utils import get_last_checkpoint

from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.prms.conversation import Conversation
from ttcs.prms.verdict import token_id

UNLABELLED = -1.0


@dataclass(frozen=True, slots=True)
class ProcessRewardModel:
    """Stage: binary cross-entropy of P("+") against the soft label at every step end.

    rollouts: the folder the rollouts stage wrote. start: the model to begin with. validation: share of the
    *questions* held out; training stops when their loss has not fallen for `patience` evaluations, and the best
    checkpoint is kept. arguments: fields of transformers' TrainingArguments.
    """

    rollouts: str
    start: str
    out: str
    work: str
    seed: int
    validation: float
    patience: int
    arguments: Mapping[str, Any]

    def run(self) -> None:
        torch.manual_seed(self.seed)
        tokenizer = AutoTokenizer.from_pretrained(self.start)
        plus, minus = (token_id(tokenizer, sign, self.start) for sign in "+-")
        train, held_out = self._datasets(tokenizer)
        trainer = Trainer(
            model=AutoModelForCausalLM.from_pretrained(self.start, dtype="float32"),
            args=TrainingArguments(
                output_dir=self.work, seed=self.seed, use_cpu=not torch.cuda.is_available(), **self.arguments
            ),
            train_dataset=train,
            eval_dataset=held_out,
            data_collator=Collator(tokenizer.pad_token_id),
            compute_loss_func=SoftCrossEntropy(plus, minus),
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
        solutions = list(read_solutions(files))
        sides: tuple[list[Any], list[Any]] = [], []
        for solution in solutions:
            sides[held_out(solution["question"], self.validation)].append(encode(conversation, solution))
        return Dataset.from_list(sides[0]), Dataset.from_list(sides[1])


def read_solutions(files: Sequence[Path]) -> Iterator[dict[str, Any]]:
    for name in files:
        for line in name.read_text().splitlines():
            solution = json.loads(line)
            if solution.get("steps"):
                yield solution


def encode(conversation: Conversation, solution: Mapping[str, Any]) -> dict[str, Any]:
    """Token ids, and at each position that predicts an answer the soft label of its step."""
    problem = Problem(solution["problem_id"], solution["question"])
    tokens, ends = conversation.encode(problem, solution["steps"])
    labels = [UNLABELLED] * len(tokens)
    for end, label in zip(ends, solution["labels"], strict=True):
        labels[end - 1] = label
    return {"input_ids": list(tokens), "labels": labels, "length": len(tokens)}


def held_out(question: str, share: float) -> bool:
    """Whether a question is on the validation side, by a hash of its text."""
    return int.from_bytes(hashlib.blake2b(f"split/{question}".encode(), digest_size=4).digest()) < share * 2**32


@dataclass(frozen=True, slots=True)
class Collator:
    """Pads on the right."""

    pad: int

    def __call__(self, examples: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        width = max(len(example["input_ids"]) for example in examples)

        def padded(key: str, fill: float) -> list[list[float]]:
            return [[*example[key], *[fill] * (width - len(example[key]))] for example in examples]

        return {
            "input_ids": torch.tensor(padded("input_ids", self.pad), dtype=torch.long),
            "labels": torch.tensor(padded("labels", UNLABELLED), dtype=torch.float32),
        }


@dataclass(frozen=True, slots=True)
class SoftCrossEntropy:
    """Mean over labelled positions of the binary cross-entropy of the two verdicts' softmax against the label."""

    plus: int
    minus: int

    def __call__(self, outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        margin = outputs.logits[..., self.plus].float() - outputs.logits[..., self.minus].float()
        known = labels >= 0
        return torch.nn.functional.binary_cross_entropy_with_logits(margin[known], labels[known])
