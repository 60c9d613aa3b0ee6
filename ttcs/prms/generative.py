"""Generative verifiers: a language model is asked whether a solution is right (Zhang et al., 2024)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.models.pieces import MARK, Frame, Pieces, Prefix, solutions
from ttcs.prms.format import Reader
from ttcs.prms.verdict import Verdict


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

    @property
    def head(self) -> Verdict:
        return Verdict(self.good, self.bad)

    def reader(self, tokenizer: Any, model: str) -> Reader:
        self.head.tokens(tokenizer, model)
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
