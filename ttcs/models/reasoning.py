"""How a model's thinking is told from its answer: delimiters, which differ from family to family."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ttcs.core import Step, Stop
from ttcs.errors import UserError
from ttcs.models.boundaries import BREAK
from ttcs.models.pieces import Pieces, Prefix

SPECIAL = re.compile(r"<[^\s<>]+>")


@dataclass(frozen=True, slots=True)
class ReasoningFormat:
    """What a reasoning model writes around its thinking (s1, Muennighoff et al., 2025, section 3.1).

    begin: what its turn begins with; put behind the prompt where the chat template has not. end: what stands between
    thinking and answer. final: what the answer is made to begin with where the thinking was cut off.
    special: whatever stands in <angle brackets> must be a token of the model's own, as those of a model that was
    trained to think are.
    """

    begin: str
    end: str
    final: str = "Final Answer:"
    special: bool = True

    def check(self, tokenizer: Any) -> None:
        """UserError for a model without the delimiters' tokens."""
        if not self.end.strip():
            raise UserError("policy.reasoning.end is empty: nothing tells the thinking from the answer")
        for mark in SPECIAL.findall(self.begin + self.end) if self.special else ():
            ids = tokenizer(mark, add_special_tokens=False).input_ids
            if len(ids) != 1 or ids[0] == tokenizer.unk_token_id:
                raise UserError(
                    f"{tokenizer.name_or_path} has no token {mark}, so it was not trained to think in this format: "
                    "choose another policy/reasoning (docs/s1.md)"
                )


class Thinking:
    """A reasoning format for one tokenizer.

    mark: the text that ends the thinking, which is looked for token by token; first: the token that it begins with.
    opening: the tokens that it can only begin with, as special tokens mean nothing else; empty where they are plain
    text.
    """

    def __init__(self, format: ReasoningFormat, tokenizer: Any) -> None:
        format.check(tokenizer)
        self._format, self._tokenizer, self._pieces = format, tokenizer, Pieces(tokenizer)
        self.mark = format.end.strip()
        spelled = self._pieces.inner(self.mark)
        self.first = spelled[0]
        self.opening = spelled if format.special and SPECIAL.match(self.mark) else ()
        self._texts: dict[int, str] = {}

    def opened(self, prompt: str) -> str:
        """What a prompt lacks of the beginning of the thinking."""
        return "" if prompt.rstrip().endswith(self._format.begin.strip()) else self._format.begin

    def written(self, prompt: Sequence[int], thinking: str) -> Prefix:
        """Token ids of a whole block of thinking, from behind the prompt to where the answer begins."""
        opened = self.opened(self._tokenizer.decode(prompt[-16:], skip_special_tokens=False))
        end = self._format.end
        gap = "" if end[:1].isspace() else BREAK  # as between its steps
        pieces = opened, thinking.rstrip() + gap, end
        return tuple(token for piece in pieces for token in self._pieces.inner(piece))

    def text(self, token: int) -> str:
        """A token's own text, special tokens spelled out. Some tokenizers drop the space that a text begins with."""
        if token not in self._texts:
            before, whole = (self._decoded([self.first, *more]) for more in ([], [token]))
            self._texts[token] = whole[len(before) :]
        return self._texts[token]

    def _decoded(self, tokens: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return text

    def appended(self, text: str) -> tuple[Step, ...]:
        """Text put behind thinking, as if the model had written it. No step, where there is none."""
        return self._given(text, Stop.STEP, thinking=True)

    def closed(self, cut: bool) -> tuple[Step, ...]:
        """The end of the thinking. cut: the model had not come to it, and its answer is begun for it.

        What white space comes before the mark a model that ended by itself has written already.
        """
        end = self._given(self._format.end if cut else self._format.end.lstrip(), Stop.THOUGHT, thinking=True)
        return (*end, *self._given(self._format.final, Stop.STEP, thinking=False)) if cut else end

    def _given(self, text: str, stop: Stop, thinking: bool) -> tuple[Step, ...]:
        return (Step(-1, self._pieces.inner(text), text, stop, thinking=thinking, given=True),) if text else ()
