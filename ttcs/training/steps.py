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
SIGNALS = ("steps", "tokens", "next", "own")
FEATURES = Features(
    {"input_ids": List(Value("int32")), "length": Value("int32"), **dict.fromkeys(SIGNALS, List(Value("float32")))}
)


def encode(tokenizer: Any, conversation: Conversation, solution: Mapping[str, Any]) -> dict[str, Any]:
    """One example: `input_ids`, `length`, and at each position (UNLABELLED where there is nothing to learn)

    steps: the soft label of the step whose answer is predicted here;
    tokens: whether the solution is right up to this token of it (only where `right` tells);
    next: the id of the next token, where that is right;
    own: whether this token is right after those before it, right or wrong (only where `own` tells).
    """
    problem = Problem(solution["problem_id"], solution["question"])
    ids, asked = conversation.encode(problem, solution["steps"])
    steps, tokens, own = ([UNLABELLED] * len(ids) for _ in range(3))
    for place, (end, label) in enumerate(zip(asked, solution["labels"], strict=True)):
        steps[end - 1] = label
        if "right" in solution:
            spans = _spans(tokenizer, opening(problem, place), solution["steps"][place])
            here = slice(end - conversation.tail - len(spans), end - conversation.tail)
            tokens[here] = _token_labels(spans, solution, place)
            own[here] = _own_labels(spans, solution["own"][place]) if "own" in solution else own[here]
    following = [float(after) if label == 1 else UNLABELLED for after, label in zip(ids[1:], tokens[1:], strict=True)]
    return {
        "input_ids": list(ids),
        "length": len(ids),
        "steps": steps,
        "tokens": tokens,
        "next": [*following, UNLABELLED],
        "own": own,
    }


def _spans(tokenizer: Any, before: str, step: str) -> list[tuple[int, int]]:
    """For each token of a step, and of what stands before it in its turn, the characters of the step that it is for."""
    read = tokenizer(before + step.strip(), add_special_tokens=False, return_offsets_mapping=True)
    return [(begin - len(before), end - len(before)) for begin, end in read.offset_mapping]


def _token_labels(spans: Sequence[tuple[int, int]], solution: Mapping[str, Any], place: int) -> list[float]:
    """Of what stands before the step there is nothing to learn."""
    labels = solution["labels"]
    first_wrong = labels[place] == 0 and (place == 0 or labels[place - 1] == 1)
    right = solution["right"] if first_wrong else inf if labels[place] else 0
    return [UNLABELLED if end <= 0 else float(end <= right) for _, end in spans]


def _own_labels(spans: Sequence[tuple[int, int]], wrong: int | None) -> list[float]:
    """What comes after a mistake within a step may follow from it or not, so there is nothing to learn."""
    first = inf if wrong is None else wrong
    return [UNLABELLED if end <= 0 or begin > first else float(end <= first) for begin, end in spans]


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


class Early:
    """What a model would predict if its last layer was not there: that of the latest pass."""

    def __init__(self, model: Any) -> None:
        self._model = model
        model.model.layers[-2].register_forward_hook(self._keep)

    def _keep(self, layer: Any, inputs: Any, output: Any) -> None:
        self._hidden = output[0] if isinstance(output, tuple) else output

    def logits(self) -> torch.Tensor:
        """[batch, tokens, vocabulary]."""
        logits: torch.Tensor = self._model.lm_head(self._model.model.norm(self._hidden))
        return logits


@dataclass(frozen=True, slots=True)
class StepLoss:
    """Mean over labelled steps of the binary cross-entropy of the two verdicts' softmax against the label.

    Where single tokens are labelled, more terms help a small model to check what it reads: `tokens` times the same
    cross-entropy at every token of the solution, and `next` times that of the next token where that is right, so that
    the model does not forget how to compute it. own: times the same of whether each token is right by itself, as the
    layer before the last one says it (`early`): the last one only has to look back at what it says.
    """

    plus: int
    minus: int
    tokens: float = 0.0
    next: float = 0.0
    own: float = 0.0
    early: Early | None = None

    def __call__(self, outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        logits = outputs.logits.float()
        margin = logits[..., self.plus] - logits[..., self.minus]
        steps, tokens, following, own = labels.unbind(-1)
        loss = _verdicts(margin, steps)
        if self.tokens and (tokens >= 0).any():
            loss = loss + self.tokens * _verdicts(margin, tokens)
        if self.next and (known := following >= 0).any():
            loss = loss + self.next * cross_entropy(logits[known], following[known].long())
        if self.early is not None and (own >= 0).any():
            early = self.early.logits().float()
            loss = loss + self.own * _verdicts(early[..., self.plus] - early[..., self.minus], own)
        return loss


def _verdicts(margin: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    known = labels >= 0
    return binary_cross_entropy_with_logits(margin[known], labels[known])
