"""Trains verifiers: process and outcome reward models of any format, with or without earlier attempts in context."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from datasets import Dataset

from ttcs.errors import UserError
from ttcs.models.load import context_length, load_config, load_tokenizer
from ttcs.prms.format import Format, Reader
from ttcs.training.examples import Collator, encode, fitting, table
from ttcs.training.judging import LabelLoss, dropouts, judging
from ttcs.training.labelled import Source, flipped
from ttcs.training.split import held_out
from ttcs.training.trainer import fit

COUNTED = "examples", "labels", "tokens", "dropped"
ARGUMENTS = {"label_names": ["labels"], "remove_unused_columns": False}


@dataclass(frozen=True, slots=True)
class Verifier:
    """Stage: binary cross-entropy of a verifier's scores against soft labels (Snell et al., 2024, appendix D).

    A PRM learns the label of every step, an outcome reward model (format `Outcome`) that of the last one: which it is,
    and what it reads, is the format's to say. The folder it is saved to loads as a PRM of that format.

    solutions: what it learns from. start: the model to begin with; new_head: its layers come with no head of this
    format, as those of a language model do for `Outcome`. validation: share of the *questions* held out; training stops
    when their loss has not fallen for `patience` evaluations, and the best checkpoint is kept.
    dropout: see `dropouts`. flip: see `flipped`; on both sides of the split. max_length: longer examples are dropped
    (None: those that are longer than the model's context). positions: the context is made that long, which a model with
    rotary positions allows. arguments: fields of transformers' TrainingArguments. lora, saved: see
    `fit`.
    """

    solutions: Source
    format: Format
    start: str
    out: str
    work: str
    seed: int
    validation: float
    patience: int
    arguments: Mapping[str, Any]
    new_head: bool = False
    dropout: float = 0.0
    flip: float = 0.0
    max_length: int | None = None
    positions: int | None = None
    lora: Mapping[str, Any] | None = None
    saved: str | None = None

    def run(self) -> None:
        tokenizer = load_tokenizer(self.start)
        train, validation = self.datasets(self.format.reader(tokenizer, self.start))
        torch.manual_seed(self.seed)
        changed: dict[str, Any] = dropouts(self.start, self.dropout)
        if self.positions is not None:
            changed["max_position_embeddings"] = tokenizer.model_max_length = self.positions
        scorer = self.format.head.load(self.start, tokenizer, "float32", "cpu", self.new_head, **changed)
        fit(
            judging(scorer),
            tokenizer,
            train,
            validation,
            Collator(),
            self.out,
            self.work,
            self.seed,
            {**ARGUMENTS, **self.arguments},
            loss=LabelLoss(self.format),
            lora=self.lora,
            after=self.patience,
            saved=self.saved,
        )

    def datasets(self, reader: Reader) -> tuple[Dataset, Dataset]:
        """What it is trained on, and what is held out."""
        longest = min(self.max_length or 1 << 30, self.positions or context_length(load_config(self.start)))
        train, validation = (self._dataset(reader, longest, side) for side in (False, True))
        if not len(train) or not len(validation):
            raise UserError(
                f"stage.validation={self.validation} leaves {len(train)} examples of at most {longest} tokens to train "
                f"on and {len(validation)} held out; both sides need some"
            )
        return train, validation

    def _dataset(self, reader: Reader, longest: int, validation: bool) -> Dataset:
        counts = Counter[str]()
        own = (
            flipped(solution, self.flip, self.seed)
            for solution in self.solutions.solutions()
            if held_out(solution.problem.question, self.validation) == validation
        )
        dataset = table(fitting(chain.from_iterable(encode(reader, solution) for solution in own), longest, counts))
        told = ", ".join(f"{counts[key]} {key}" for key in COUNTED)
        print(f"{'validation' if validation else 'train'}: {told} (longer than {longest} tokens)")
        return dataset
