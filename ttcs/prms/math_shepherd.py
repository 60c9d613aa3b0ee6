"""Math-Shepherd's PRM (Wang et al., 2024; peiyi9979/math-shepherd-mistral-7b-prm): a tag behind each step is judged."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.models.pieces import Pieces, Prefix
from ttcs.prms.format import Reader, Scorer
from ttcs.prms.verdict import load_verdict, token_id, verdict_pooling

NUMBERED = re.compile(r"\W*step\s+\d+\s*[:.][*\s]*", re.IGNORECASE)  # "Step 1: ", "## Step 1: ", "**Step 1:** "


@dataclass(frozen=True, slots=True)
class MathShepherd:
    """`{question} Step 1: {step} ки`, then a line `Step 2: {step} ки`, ...: plain text behind BOS, no chat.

    A step is one line, as in the data it was trained on; the number a policy gave it is replaced by its own.
    The score of a step is P("+") against P("-") as the token behind its tag.
    """

    good: str = "+"
    bad: str = "-"
    tag: str = "ки"

    def reader(self, tokenizer: Any, model: str) -> Reader:
        self._verdicts(tokenizer, model)
        pieces = Pieces(tokenizer)
        begin = () if tokenizer.bos_token_id is None else (tokenizer.bos_token_id,)
        if pieces.inner(f"a {self.tag}")[-1] != token_id(tokenizer, self.tag, model):
            raise UserError(f"PRM {model}: behind a step, {self.tag!r} is not the token it is on its own")

        def read(problem: Problem, steps: Sequence[str], attempts: Sequence[str] = ()) -> list[Prefix | None]:
            tokens: Prefix = begin + pieces.first(problem.question.strip())
            prefixes: list[Prefix | None] = []
            for number, step in enumerate(steps, 1):
                before = " " if number == 1 else "\n"
                tokens += pieces.inner(f"{before}Step {number}: {_line(step)} {self.tag}")
                prefixes.append(tokens)
            return prefixes

        return read

    def load(
        self, model: str, tokenizer: Any, dtype: str, device: str, new_head: bool = False, **config: Any
    ) -> Scorer:
        return load_verdict(model, self._verdicts(tokenizer, model), dtype, device, **config)

    def log_odds(self, logits: torch.Tensor) -> torch.Tensor:
        return logits[..., 0]

    def scores(self, logits: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.log_odds(logits))

    def pooling(self, model: str, tokenizer: Any) -> Mapping[str, Any]:
        return verdict_pooling(model, *tokenizer.convert_ids_to_tokens(self._verdicts(tokenizer, model)))

    def _verdicts(self, tokenizer: Any, model: str) -> tuple[int, int]:
        return token_id(tokenizer, self.good, model), token_id(tokenizer, self.bad, model)


def _line(step: str) -> str:
    """A step on one line, without its number."""
    line = " ".join(part.strip() for part in step.split("\n") if part.strip())
    return line[found.end() :] if (found := NUMBERED.match(line)) else line
