"""Math-Shepherd's PRM (Wang et al., 2024; peiyi9979/math-shepherd-mistral-7b-prm): a tag behind each step is judged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.models.pieces import Pieces, Prefix
from ttcs.prms.format import Reader
from ttcs.prms.verdict import Verdict, token_id

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

    @property
    def head(self) -> Verdict:
        return Verdict(self.good, self.bad)

    def reader(self, tokenizer: Any, model: str) -> Reader:
        self.head.tokens(tokenizer, model)
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


def _line(step: str) -> str:
    """A step on one line, without its number."""
    line = " ".join(part.strip() for part in step.split("\n") if part.strip())
    return line[found.end() :] if (found := NUMBERED.match(line)) else line
