"""A solution as the tokens whose likelihoods an implicit PRM asks for."""

from __future__ import annotations

from bisect import bisect_left
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

    spans: of each step where it begins and ends; None: it needs no score of its own. remarks: places of the steps that
    take the score of the step before. counted: places of the tokens whose likelihoods make scores, neither the prompt's
    nor those of remarks. No tokens: no step needs a score.
    """

    judge: Judge
    tokens: Prefix
    spans: tuple[tuple[int, int] | None, ...]
    remarks: frozenset[int]
    counted: tuple[int, ...]

    @property
    def read(self) -> int:
        """Tokens that are read: nothing hangs on the last one."""
        return max(0, len(self.tokens) - 1)

    def judged(self, reward: Reward, own: Sequence[float], reference: Sequence[float], computed: int) -> Judged:
        """own, reference: logarithms of the probabilities of the tokens, the prompt's too. computed: tokens of them."""
        scores: list[float | None] = []
        for place, (step, span) in enumerate(zip(self.judge.trajectory.steps, self.spans, strict=True)):
            score = step.score
            if span is not None:
                start, end = (bisect_left(self.counted, token) for token in span)
                counted = self.counted[:end]
                theirs = [reference[token] for token in counted] if reference else []
                score = reward([own[token] for token in counted], theirs, start)
            elif score is None and place in self.remarks:
                score = next((before for before in reversed(scores) if before is not None), None)
            scores.append(score)
        return Judged(tuple(scores), self.read, self.read - min(self.read, computed))


class Writer:
    """Writes solutions for an implicit PRM.

    The policy's own tokens are taken as they are where they spell the step in this tokenizer too; else its text is
    encoded. Blank steps are left out, and so are earlier attempts; remarks are read as what the rest goes on from.
    """

    def __init__(self, tokenizer: Any, format: Implicit) -> None:
        self._tokenizer = tokenizer
        self._prompt = Prompt(tokenizer, format.system_prompt, format.chat_template, component="prm.format")
        self._pieces = Pieces(tokenizer)
        self._remarks = format.remarks
        self._special = frozenset(tokenizer.all_special_ids)
        self._vocabulary = len(tokenizer)
        self._encode = lru_cache(maxsize=65536)(self._encoded)

    def __call__(self, judge: Judge) -> Written:
        tokens = self._prompt(judge.trajectory.problem.alone)
        last = 0
        spans: list[tuple[int, int] | None] = []
        remarks: list[int] = []
        counted: list[int] = []
        for place, step in enumerate(judge.trajectory.steps):
            begin = len(tokens)
            tokens += () if step.blank else self._encode(step.tokens, step.text)
            remark = self._remarks(step.text)
            if remark:
                remarks.append(place)
            else:
                counted += range(begin, len(tokens))
            wanted = not (step.blank or remark) and step.score is None
            spans.append((begin, len(tokens)) if wanted else None)
            last = len(tokens) if wanted else last
        return Written(judge, tokens[:last], tuple(spans), frozenset(remarks), tuple(counted))

    def _encoded(self, tokens: Prefix, text: str) -> Prefix:
        end = len(tokens)
        while end and tokens[end - 1] in self._special:
            end -= 1
        own = tokens[:end]
        known = all(0 <= token < self._vocabulary for token in own)
        spelled = known and self._tokenizer.decode(list(own), clean_up_tokenization_spaces=False) == text
        return own if spelled else self._pieces.inner(text)
