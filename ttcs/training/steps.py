"""Solutions whose single tokens are labelled too, as training examples of RLHFlow's format, and the losses on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import torch
from datasets import Features, List, Value
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from ttcs.core import Problem
from ttcs.prms.conversation import Conversation, opening

UNLABELLED = -1.0
SIGNALS = ("steps", "tokens", "next")
FEATURES = Features(
    {"input_ids": List(Value("int32")), "length": Value("int32"), **dict.fromkeys(SIGNALS, List(Value("float32")))}
)


def encode(tokenizer: Any, conversation: Conversation, solution: Mapping[str, Any]) -> dict[str, Any]:
    """One example: `input_ids`, `length`, and at each position (UNLABELLED where there is nothing to learn)

    steps: the soft label of the step whose answer is predicted here;
    tokens: whether the solution is right up to this token of it (only where `right` tells);
    next: the id of the next token, where that is right.
    """
    problem = Problem(solution["problem_id"], solution["question"])
    ids, asked = conversation.encode(problem, solution["steps"])
    steps, tokens = [UNLABELLED] * len(ids), [UNLABELLED] * len(ids)
    for place, (end, label) in enumerate(zip(asked, solution["labels"], strict=True)):
        steps[end - 1] = label
        if "right" in solution:
            labels = _token_labels(tokenizer, opening(problem, place), solution, place)
            last = end - conversation.tail
            tokens[last - len(labels) : last] = labels
    following = [float(after) if label == 1 else UNLABELLED for after, label in zip(ids[1:], tokens[1:], strict=True)]
    return {
        "input_ids": list(ids),
        "length": len(ids),
        "steps": steps,
        "tokens": tokens,
        "next": [*following, UNLABELLED],
    }


def _token_labels(tokenizer: Any, before: str, solution: Mapping[str, Any], place: int) -> list[float]:
    """Of the tokens of one step and of what stands before it in its turn, of which there is nothing to learn."""
    read = tokenizer(before + solution["steps"][place].strip(), add_special_tokens=False, return_offsets_mapping=True)
    ends = [end - len(before) for _, end in read.offset_mapping]
    labels = solution["labels"]
    first_wrong = labels[place] == 0 and (place == 0 or labels[place - 1] == 1)
    right = solution["right"] if first_wrong else inf if labels[place] else 0
    return [UNLABELLED if end <= 0 else float(end <= right) for end in ends]


@dataclass(frozen=True, slots=True)
class Collator:
    """Pads on the right; labels [batch, tokens, signals]."""

    pad: int

    def __call__(self, examples: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        width = max(len(example["input_ids"]) for example in examples)

        def padded(key: str, fill: float) -> list[list[float]]:
            return [[*example[key], *[fill] * (width - len(example[key]))] for example in examples]

        labels = [torch.tensor(padded(signal, UNLABELLED), dtype=torch.float32) for signal in SIGNALS]
        return {
            "input_ids": torch.tensor(padded("input_ids", self.pad), dtype=torch.long),
            "labels": torch.stack(labels, -1),
        }


@dataclass(frozen=True, slots=True)
class StepLoss:
    """Mean over labelled steps of the binary cross-entropy of the two verdicts' softmax against the label.

    Where single tokens are labelled, two more terms help a small model to check what it reads: `tokens` times the same
    cross-entropy at every token of the solution, and `next` times that of the next token where that is right, so that
    the model does not forget how to compute it.
    """

    plus: int
    minus: int
    tokens: float = 0.0
    next: float = 0.0

    def __call__(self, outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        logits = outputs.logits.float()
        margin = logits[..., self.plus] - logits[..., self.minus]
        steps, tokens, following = labels.unbind(-1)
        loss = _verdicts(margin, steps)
        if self.tokens and (tokens >= 0).any():
            loss = loss + self.tokens * _verdicts(margin, tokens)
        if self.next and (known := following >= 0).any():
            loss = loss + self.next * cross_entropy(logits[known], following[known].long())
        return loss


def _verdicts(margin: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    known = labels >= 0
    return binary_cross_entropy_with_logits(margin[known], labels[known])
