"""Generative verifiers: a language model is asked whether a solution is right (Zhang et al., 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.models.pieces import MARK, Frame, Pieces, Prefix, solutions
from ttcs.prms.format import Reader, Scorer
from ttcs.prms.verdict import load_verdict, token_id, verdict_pooling


@dataclass(frozen=True, slots=True)
class Generative:
    """A chat in which the user asks `prompt`; the score is P(good) against P(bad) as the first token of the answer.

    arXiv 2408.15240, without the chain of thought. The paper's score is P(Yes) among all tokens; against P(No) alone
    it does not depend on how likely a model that was not trained for it is to answer with one of the two. Any chat
    model will do, the policy's too.

    prompt: the question to the model, with {problem} and {solution} in it. good, bad: its answers, one token each.
    every_step: judge every step in the light of those before it, in a pass of its own behind the shared solution;
    else only the last one handed in.
    """

    prompt: str
    good: str = "Yes"
    bad: str = "No"
    every_step: bool = False

    def reader(self, tokenizer: Any, model: str) -> Reader:
        self._verdicts(tokenizer, model)
        for place in ("{problem}", "{solution}"):
            if self.prompt.count(place) != 1:
                raise UserError(f"prm.format.prompt has {place} {self.prompt.count(place)} times, not once")
        pieces = Pieces(tokenizer)

        @lru_cache(maxsize=4096)
        def frame(question: str) -> Frame:
            content = self.prompt.replace("{solution}", MARK).replace("{problem}", question)
            return pieces.frame([{"role": "user", "content": content}], generate=True)

        frame("?")  # a template that does not take it is said at once

        def read(problem: Problem, steps: Sequence[str], attempts: Sequence[str] = ()) -> list[Prefix | None]:
            found = solutions(frame(problem.question), steps, pieces)
            return [*found] if self.every_step else [*[None] * (len(found) - 1), *found[-1:]]

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
