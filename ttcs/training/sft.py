"""Supervised fine-tuning of a causal language model: on token ids, or on chats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from datasets import load_from_disk
from transformers import AutoConfig, AutoModelForCausalLM, DataCollatorForSeq2Seq

from ttcs.errors import UserError
from ttcs.models.load import context_length, load_model, load_tokenizer
from ttcs.models.prompt import Prompt
from ttcs.models.reasoning import ReasoningFormat, Thinking
from ttcs.models.revision import RevisionFormat
from ttcs.training.chats import Encoder, Source, datasets
from ttcs.training.trainer import fit


@dataclass(frozen=True, slots=True)
class SupervisedFineTuning:
    """Stage: minimise the cross-entropy of the labelled tokens of a dataset folder (`input_ids`, `labels`).

    start: a model folder or Hub id to go on from; None: a fresh model of `architecture` (fields of its transformers
    config, `model_type` included). The tokenizer is saved beside the model in `out`. work, arguments, lora, saved: see
    `fit`.
    """

    corpus: str
    out: str
    work: str
    tokenizer: str
    seed: int
    arguments: Mapping[str, Any]
    start: str | None = None
    architecture: Mapping[str, Any] | None = None
    lora: Mapping[str, Any] | None = None
    saved: str | None = None

    def run(self) -> None:
        torch.manual_seed(self.seed)
        tokenizer = load_tokenizer(self.tokenizer)
        fit(
            self._model(tokenizer),
            tokenizer,
            load_from_disk(self.corpus),
            None,
            DataCollatorForSeq2Seq(tokenizer, label_pad_token_id=-100),
            self.out,
            self.work,
            self.seed,
            self.arguments,
            lora=self.lora,
            saved=self.saved,
        )

    def _model(self, tokenizer: Any) -> Any:
        if self.start is not None:
            return load_model(self.start, "float32", "cpu")
        ids = {
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        }
        config = AutoConfig.for_model(**{**(self.architecture or {}), "vocab_size": len(tokenizer), **ids})
        return AutoModelForCausalLM.from_config(config)


@dataclass(frozen=True, slots=True)
class ChatFineTuning:
    """Stage: minimise the cross-entropy of the last answer of chats; of what comes before it no loss is taken.

    chats: what it learns from. start: a chat model, a folder or Hub id. dtype: of its weights while it is trained.
    system_prompt, chat_template: those of the policy that it is to be (see `Prompt`). validation: share of the
    *questions* held out. max_length: longer examples are dropped (None: those longer than the context). positions: the
    context is made that long, which a model with rotary positions allows. work, arguments, lora, saved: see
    `fit`.

    reasoning: how its thinking is told from its answer, where the chats have thinking: both are learnt.
    revision: how the model is asked for a revision, where the chats are those of one; written beside the weights.
    after: training ends so many evaluations past the one with the least loss on the questions held out, and the last
    model is kept, not the best. A revision model is trained to answer to attempts of another model, not to its own as
    in a chain, so the least loss says little of how good it will be: Snell et al. (2024, appendix) keep a checkpoint
    from slightly after that loss starts to rise. Where it never rises, or after is None, the last step's is kept.
    """

    chats: Source
    start: str
    out: str
    work: str
    seed: int
    arguments: Mapping[str, Any]
    validation: float = 0.0
    after: int | None = None
    revision: RevisionFormat | None = None
    reasoning: ReasoningFormat | None = None
    system_prompt: str | None = None
    chat_template: str | None = None
    max_length: int | None = None
    positions: int | None = None
    dtype: str = "float32"
    lora: Mapping[str, Any] | None = None
    saved: str | None = None

    def run(self) -> None:
        if self.after is not None and not self.validation:
            raise UserError(f"stage.after={self.after} needs stage.validation, the share of the questions held out")
        tokenizer = load_tokenizer(self.start)
        tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
        longer = {} if self.positions is None else {"max_position_embeddings": self.positions}
        model = load_model(self.start, self.dtype, "cpu", **longer)
        tokenizer.model_max_length = context_length(model.config)
        longest = min(self.max_length or tokenizer.model_max_length, tokenizer.model_max_length)
        prompt = Prompt(tokenizer, self.system_prompt, self.chat_template, self.revision)
        thinking = Thinking(self.reasoning, tokenizer) if self.reasoning else None
        train, held_out = datasets(self.chats, Encoder(tokenizer, prompt, thinking), self.validation, longest)
        fit(
            model,
            tokenizer,
            train,
            held_out,
            DataCollatorForSeq2Seq(tokenizer, label_pad_token_id=-100),
            self.out,
            self.work,
            self.seed,
            self.arguments,
            lora=self.lora,
            after=self.after,
            beside=self.revision.save if self.revision else None,
            saved=self.saved,
        )
