"""Writes the zoo's corpora: exercises with worked solutions as token ids, ready for supervised fine-tuning."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from datasets import Dataset
from transformers import PreTrainedTokenizerBase

from ttcs.config.writable import made
from ttcs.models.chat import prompt_ids
from ttcs.models.load import load_tokenizer
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
        train_tokenizer(texts, self.vocabulary).save_pretrained(self.out)


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
        shards = [(shard, per_shard) for shard in range(self.processes)]
        # A cache of its own: the library's would hand out an old corpus when a family or the tokenizer has changed.
        with TemporaryDirectory() as cache:
            dataset = Dataset.from_generator(
                partial(_examples, tokenizer=self.tokenizer, seed=self.seed, mistakes=self.mistakes),
                gen_kwargs={"shards": shards},
                num_proc=self.processes,
                cache_dir=cache,
            )
            dataset.save_to_disk(self.out)


def encode(tokenizer: PreTrainedTokenizerBase, question: str, solution: str) -> dict[str, Any]:
    """One supervised example: chat prompt, then the solution and the end of the turn."""
    prompt = prompt_ids(tokenizer, question)
    answer = tokenizer(solution + EOT, add_special_tokens=False).input_ids
    return {
        "input_ids": [*prompt, *answer],
        "labels": [-100] * len(prompt) + answer,
        "length": len(prompt) + len(answer),
    }


def _examples(shards: list[tuple[int, int]], tokenizer: str, seed: int, mistakes: Mistakes) -> Iterator[dict[str, Any]]:
    encoder = load_tokenizer(tokenizer)
    for shard, size in shards:
        stream = exercises(f"{seed}/{shard}", Split.TRAIN)
        rng = Random(f"{seed}/{shard}/mistakes")
        for _ in range(size):
            exercise = next(stream)
            solution, _ = exercise.solution(mistakes.reasoner(rng, exercise.level))
            yield encode(encoder, exercise.question, solution)


@dataclass(frozen=True, slots=True)
class ProblemSet:
    """Stage: write a fixed problem set as JSONL (id, question, answer, level, family, solution)."""

    out: str
    seed: int
    split: str
    size: int
    problems: Problems = field(default_factory=Arithmetic)

    def run(self) -> None:
        drawn = self.problems.fixed_set(str(self.seed), Split(self.split), self.size)
        lines = []
        for number, exercise in enumerate(drawn):
            solution, answer = exercise.solution()
            line = {
                "id": f"{exercise.family}-{exercise.level}-{number:03d}",
                "question": exercise.question,
                "answer": answer,
                "level": exercise.level,
                "family": exercise.family,
                "solution": solution,
            }
            lines.append(json.dumps(line) + "\n")
        path = Path(self.out)
        made(path.parent)
        path.write_text("".join(lines), encoding="utf-8")
