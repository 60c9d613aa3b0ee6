"""A solution as the tokens whose likelihoods an implicit PRM asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ttcs.core import Judge, Judged
from ttcs.models.pieces import Pieces, Prefix
from ttcs.models.prompt import Prompt
from ttcs.prms.implicit import Implicit
from ttcs.prms.rewards import Reward


@dataclass(frozen=True, slots=True)
class Written:
    """A solution as tokens, up to the last step that needs a score.

    first: place of the first token behind the prompt. spans: of each step where it begins and ends; None: it needs no
    score. No tokens: no step needs one.
    """

    judge: Judge
    tokens: Prefix
    first: int
    spans: tuple[tuple[int, int] | None, ...]

    @property
    def read(self) -> int:
        """Tokens that are read: nothing hangs on the last one."""
        return max(0, len(self.tokens) - 1)

    def judged(self, reward: Reward, own: Sequence[float], reference: Sequence[float], computed: int) -> Judged:
        """own, reference: logarithms of the probabilities of the tokens, the prompt's too. computed: tokens of them."""
        steps = self.judge.trajectory.steps
        scores = [
            step.score
            if span is None
            else reward(own[self.first : span[1]], reference[self.first : span[1]], span[0] - self.first)
            for step, span in zip(steps, self.spans, strict=True)
        ]
        return Judged(tuple(scores), self.read, self.read - min(self.read, computed))


class Writer:
    """Writes solutions for an implicit PRM.

    The policy's own tokens are taken as they are where they spell the step in this tokenizer too; else its text is
    encoded. Blank steps are left out, and so are earlier attempts.
    """

    def __init__(self, tokenizer: Any, format: Implicit) -> None:
        self._tokenizer = tokenizer
        self._prompt = Prompt(tokenizer, format.system_prompt, format.chat_template, component="prm.format")
        self._pieces = Pieces(tokenizer)
        self._special = frozenset(tokenizer.all_special_ids)
        self._vocabulary = len(tokenizer)
        self._encode = lru_cache(maxsize=65536)(self._encoded)

    def __call__(self, judge: Judge) -> Written:
        tokens = self._prompt(judge.trajectory.problem.alone)
        first, last = len(tokens), len(tokens)
        spans: list[tuple[int, int] | None] = []
        for step in judge.trajectory.steps:
            begin = len(tokens)
            tokens += () if step.blank else self._encode(step.tokens, step.text)
            wanted = not step.blank and step.score is None
            spans.append((begin, len(tokens)) if wanted else None)
            last = len(tokens) if wanted else last
        return Written(judge, tokens[:last] if last > first else (), first, tuple(spans))

    def _encoded(self, tokens: Prefix, text: str) -> Prefix:
        end = len(tokens)
        while end and tokens[end - 1] in self._special:
            end -= 1
        own = tokens[:end]
        known = all(0 <= token < self._vocabulary for token in own)
        spelled = known and self._tokenizer.decode(list(own), clean_up_tokenization_spaces=False) == text
        return own if spelled else self._pieces.inner(text)
