"""Supervised fine-tuning of a causal language model on a dataset folder, from scratch or from a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import load_from_disk
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    DataCollatorForSeq2Seq,
    Trainer,
    TrainingArguments,
)
from transformers.trainer_utils import get_last_checkpoint


@dataclass(frozen=True, slots=True)
class SupervisedFineTuning:
    """Stage: minimise the cross-entropy of the labelled tokens.

    start: a model folder or Hub id to go on from; None: a fresh model of `architecture` (fields of its transformers
    config, `model_type` included). arguments: fields of transformers' TrainingArguments. Goes on from the last
    checkpoint in `work` if there is one. The tokenizer is saved beside the model in `out`.
    """

    corpus: str
    out: str
    work: str
    tokenizer: str
    seed: int
    arguments: Mapping[str, Any]
    start: str | None = None
    architecture: Mapping[str, Any] | None = None

    def run(self) -> None:
        import torch

        torch.manual_seed(self.seed)
        tokenizer = AutoTokenizer.from_pretrained(self.tokenizer)
        trainer = Trainer(
            model=self._model(tokenizer),
            args=TrainingArguments(
                output_dir=self.work, seed=self.seed, use_cpu=not torch.cuda.is_available(), **self.arguments
            ),
            train_dataset=load_from_disk(self.corpus),
            data_collator=DataCollatorForSeq2Seq(tokenizer, label_pad_token_id=-100),
        )
        trainer.train(resume_from_checkpoint=get_last_checkpoint(self.work) if Path(self.work).is_dir() else None)
        if trainer.is_world_process_zero():
            trainer.model.save_pretrained(self.out)
            tokenizer.save_pretrained(self.out)

    def _model(self, tokenizer: Any) -> Any:
        if self.start is not None:
            return AutoModelForCausalLM.from_pretrained(self.start, dtype="float32")
        ids = {
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        }
        config = AutoConfig.for_model(**{**(self.architecture or {}), "vocab_size": len(tokenizer), **ids})
        return AutoModelForCausalLM.from_config(config)
