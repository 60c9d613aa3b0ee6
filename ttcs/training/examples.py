"""Labelled solutions as a PRM of some format reads them: token ids, and a label where a score is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from datasets import Dataset, Features, List, Value, concatenate_datasets

from ttcs.prms.format import Reader
from ttcs.prms.prefixes import sequences
from ttcs.training.labelled import Labelled

UNLABELLED = -100  # what transformers' Trainer leaves out when it counts labels, for the mean over an accumulated batch
FEATURES = Features({"input_ids": List(Value("int32")), "labels": List(Value("float32")), "length": Value("int32")})
PART = 1000  # examples that are Python lists at a time

Example = dict[str, Any]


def encode(reader: Reader, solution: Labelled) -> Iterator[Example]:
    """The fewest sequences that hold every prefix which the format reads for a step with a label."""
    prefixes = reader(solution.problem, solution.steps, solution.attempts)
    pairs = zip(prefixes, solution.labels, strict=True)
    known = {prefix: label for prefix, label in pairs if prefix is not None and label is not None}
    for tokens, ends in sequences(list(known)).items():
        labels = [float(UNLABELLED)] * len(tokens)
        for end in ends:
            labels[end - 1] = known[tokens[:end]]
        yield {"input_ids": list(tokens), "labels": labels, "length": len(tokens)}


def fitting(examples: Iterable[Example], longest: int, counts: Counter[str]) -> Iterator[Example]:
    """Those of at most `longest` tokens; adds to the counts of what is kept and what is dropped."""
    for example in examples:
        if example["length"] > longest:
            counts["dropped"] += 1
            continue
        counts["examples"] += 1
        counts["tokens"] += example["length"]
        counts["labels"] += sum(label != UNLABELLED for label in example["labels"])
        yield example


def table(examples: Iterator[Example], features: Features = FEATURES) -> Dataset:
    """All of them in memory, as compactly as Arrow has it; never on disk, where old ones would be found again."""
    parts = [Dataset.from_dict({name: [] for name in features}, features=features)]
    while part := list(islice(examples, PART)):
        parts.append(Dataset.from_list(part, features=features))
    return concatenate_datasets(parts)


@dataclass(frozen=True, slots=True)
class Collator:
    """Pads on the right; whatever stands there is masked and has no label."""

    def __call__(self, examples: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        width = max(len(example["input_ids"]) for example in examples)
        gaps = [width - len(example["input_ids"]) for example in examples]
        rows = list(zip(examples, gaps, strict=True))
        return {
            "input_ids": torch.tensor([[*example["input_ids"], *[0] * gap] for example, gap in rows]),
            "attention_mask": torch.tensor([[1] * (width - gap) + [0] * gap for gap in gaps]),
            "labels": torch.tensor([[*example["labels"], *[float(UNLABELLED)] * gap] for example, gap in rows]),
        }
