"""Writes the corpora of the zoo's chains: with mistakes to learn, or to go on from without learning them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any

from transformers import PreTrainedTokenizerBase

from ttcs.models.chat import prompt_ids
from ttcs.models.load import load_tokenizer
from ttcs.training.corpus import save
from ttcs.zoo.chains.families import MOVES
from ttcs.zoo.chains.problems import ChainExercise, Chains
from ttcs.zoo.generator import Mistakes, Split
from ttcs.zoo.reasoner import Reasoner
from ttcs.zoo.tokenizer import EOT


@dataclass(frozen=True, slots=True)
class ChainCorpus:
    """Stage: `solutions` solutions of train exercises, saved as `Corpus` saves its own.

    erring: the share of them that makes mistakes, at the rates of `mistakes`. learnt: whether a wrong step is learnt;
    else no loss is taken on it, only on what comes after, so that a model never errs itself, goes on rightly from what
    is wrong, and says in its check that it does not fit. shortest: see `Chains`.
    """

    out: str
    tokenizer: str
    seed: int
    solutions: int
    processes: int
    mistakes: Mistakes
    erring: float = 1.0
    learnt: bool = True
    shortest: int = MOVES

    def run(self) -> None:
        per_shard = -(-self.solutions // self.processes)
        save(self.out, self._examples, [(shard, per_shard) for shard in range(self.processes)])

    def _examples(self, shards: list[tuple[int, int]]) -> Iterator[dict[str, Any]]:
        encoder = load_tokenizer(self.tokenizer)
        for shard, size in shards:
            rng = Random(f"{self.seed}/{shard}/mistakes")
            for exercise in islice(Chains(self.shortest).exercises(f"{self.seed}/{shard}", Split.TRAIN), size):
                errs = rng.random() < self.erring
                reason = self.mistakes.reasoner(rng, exercise.level) if errs else Reasoner()
                yield encode(encoder, exercise, reason, self.learnt)


def encode(
    tokenizer: PreTrainedTokenizerBase, exercise: ChainExercise, reason: Reasoner, learnt: bool
) -> dict[str, Any]:
    """One supervised example: the prompt, the steps, the end of the turn; -100 where no loss is taken."""
    ids = prompt_ids(tokenizer, exercise.question)
    labels = [-100] * len(ids)
    for text, wrong in [*exercise.marked(reason), (EOT, None)]:
        step = tokenizer(text, add_special_tokens=False).input_ids
        ids += step
        labels += step if wrong is None or learnt else [-100] * len(step)
    return {"input_ids": ids, "labels": labels, "length": len(ids)}
