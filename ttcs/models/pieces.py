"""Text encoded piece by piece, so that the tokens of a prefix stay what they are whatever comes behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from ttcs.errors import UserError
from ttcs.models.chat import chat
from ttcs.models.template import REFUSALS, Messages, render

Prefix = tuple[int, ...]

MARK = "\N{OBJECT REPLACEMENT CHARACTER}"  # stands for a message while the chat template's own text is read


@dataclass(frozen=True, slots=True)
class Frame:
    """What a text holds around a solution. gap: white space between them, which may share a token with the solution."""

    head: Prefix
    gap: str
    tail: Prefix


class Answer(Protocol):
    """Question, earlier answers to it and what the user said to each of them -> the chat around the last answer."""

    def __call__(self, question: str, attempts: tuple[str, ...] = (), request: str = "") -> Frame: ...


class Pieces:
    """A tokenizer for pieces of a text. No special tokens are added: they are there where the text spells them out."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self.first = lru_cache(maxsize=4096)(self._encode)  # a piece that the text begins with -> token ids
        self.inner = lru_cache(maxsize=65536)(self._continue)  # a later one
        # A tokenizer of the SentencePiece kind writes a space in front of all it is given. So it is given a newline
        # first, which it never merges with anything, and the tokens of that are taken off again.
        spaced = tokenizer.convert_ids_to_tokens(self._encode("a")[0]).startswith("▁")
        self._lead = "\n" if spaced else ""
        self._skip = len(self._encode(self._lead))

    def frame(self, messages: Messages, generate: bool) -> Frame:
        """What a chat holds around the MARK in one of its messages."""
        before, after = around(self._tokenizer, messages, generate)
        rest = after.lstrip()
        return Frame(self.first(before), after.removesuffix(rest), self.inner(rest))

    def answer(self, system: str | None) -> Answer:
        """What a chat holds around the assistant's last answer. system: None is left to the template."""

        @lru_cache(maxsize=4096)
        def frame(question: str, attempts: tuple[str, ...] = (), request: str = "") -> Frame:
            messages = chat(question, system)
            for attempt in attempts:
                messages += [{"role": "assistant", "content": attempt}, {"role": "user", "content": request}]
            return self.frame([*messages, {"role": "assistant", "content": MARK}], generate=False)

        frame("?")  # a template that does not take it is said at once
        return frame

    def _encode(self, text: str) -> Prefix:
        return tuple(self._tokenizer(text, add_special_tokens=False).input_ids)

    def _continue(self, text: str) -> Prefix:
        return self._encode(self._lead + text)[self._skip :]


def around(tokenizer: Any, messages: Messages, generate: bool, template: str | None = None) -> tuple[str, str]:
    """What a chat holds before and after the MARK in one of its messages.

    generate: the chat ends where the assistant speaks next. template: instead of the tokenizer's own. UserError when
    the chat template does not take it.
    """
    try:
        text = render(tokenizer, messages, generate, template)
    except REFUSALS as error:
        raise UserError(f"the chat template of {tokenizer.name_or_path} does not take the chat: {error}") from error
    before, *after = text.split(MARK)
    if len(after) != 1:
        raise UserError(f"the chat template of {tokenizer.name_or_path} writes a message {len(after)} times, not once")
    return before, after[0]


def solutions(frame: Frame, steps: Sequence[str], pieces: Pieces) -> list[Prefix]:
    """For each step the solution up to it in its frame, without white space of its own at its ends."""
    found, body = [], frame.head
    for place, step in enumerate(steps):
        text = step if place else step.lstrip()
        found.append(body + pieces.inner(text.rstrip() + frame.gap) + frame.tail)
        body += pieces.inner(text)
    return found
