"""Writes the zoo's corpora: exercises with worked solutions as token ids, ready for supervised fine-tuning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from ttcs.models.chat import prompt_ids
from ttcs.models.load import load_tokenizer
from ttcs.training.output import begun, finished, written
from ttcs.zoo.generator import Arithmetic, Mistakes, Problems, Split, exercises
from ttcs.zoo.tokenizer import EOT, train_tokenizer


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """Stage: train the zoo's tokenizer on right solutions of the train split and save it. problems: of which set."""

    out: str
    seed: int
    vocabulary: int
    solutions: int
    problems: Problems = field(default_factory=Arithmetic)

    def run(self) -> None:
        stream = self.problems.exercises(f"{self.seed}/tokenizer", Split.TRAIN)
        drawn = [next(stream) for _ in range(self.solutions)]
        texts = [f"{exercise.question}\n\n{exercise.solution()[0]}\n\n+ -\nuser assistant" for exercise in drawn]
        train_tokenizer(texts, self.vocabulary).save_pretrained(begun(Path(self.out)))
        finished(Path(self.out))


@dataclass(frozen=True, slots=True)
class Corpus:
    """Stage: `solutions` worked solutions of train exercises, with the given rates of mistakes (none: all right).

    Saved as a dataset folder of `input_ids` and `labels` (-100 where the prompt is: no loss there), `length`.
    """

    out: str
    tokenizer: str
    seed: int
    solutions: int
    processes: int
    mistakes: Mistakes = field(default_factory=Mistakes)

    def run(self) -> None:
        per_shard = -(-self.solutions // self.processes)
        save(self.out, self._examples, [(shard, per_shard) for shard in range(self.processes)])

    def _examples(self, shards: list[tuple[int, int]]) -> Iterator[dict[str, Any]]:
        encoder = load_tokenizer(self.tokenizer)
        for shard, size in shards:
            rng = Random(f"{self.seed}/{shard}/mistakes")
            for exercise in islice(exercises(f"{self.seed}/{shard}", Split.TRAIN), size):
                solution, _ = exercise.solution(self.mistakes.reasoner(rng, exercise.level))
                yield encode(encoder, exercise.question, solution)


def save(
    out: str, examples: Callable[[list[tuple[int, int]]], Iterator[dict[str, Any]]], shards: list[tuple[int, int]]
) -> None:
    """A dataset folder of what `examples` says for the shards, (number, size), each in a process of its own."""
    # A cache of its own: the library's would hand out an old corpus when a family or the tokenizer has changed.
    with TemporaryDirectory() as cache:
        dataset = Dataset.from_generator(examples, gen_kwargs={"shards": shards}, num_proc=len(shards), cache_dir=cache)
        dataset.save_to_disk(begun(Path(out)))
    finished(Path(out))


def encode(tokenizer: PreTrainedTokenizerBase, question: str, solution: str) -> dict[str, Any]:
    """One supervised example: chat prompt, then the solution and the end of the turn."""
    prompt = prompt_ids(tokenizer, question)
    answer = tokenizer(solution + EOT, add_special_tokens=False).input_ids
    return {
        "input_ids": [*prompt, *answer],
        "labels": [-100] * len(prompt) + answer,
        "length": len(prompt) + len(answer),
    }


@dataclass(frozen=True, slots=True)
class ProblemSet:
    """Stage: write a fixed problem set as JSONL (id, question, answer, level, family, solution)."""

    out: str
    seed: int
    split: str
    size: int
    problems: Problems = field(default_factory=Arithmetic)

    def run(self) -> None:
        written(self.out, self._lines())

    def _lines(self) -> Iterator[dict[str, Any]]:
        for number, exercise in enumerate(self.problems.fixed_set(str(self.seed), Split(self.split), self.size)):
            solution, answer = exercise.solution()
            yield {
                "id": f"{exercise.family}-{exercise.level}-{number:03d}",
                "question": exercise.question,
                "answer": answer,
                "level": exercise.level,
                "family": exercise.family,
                "solution": solution,
            }
