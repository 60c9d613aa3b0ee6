"""A problem and its steps as the chat that RLHFlow's PRMs read, in token ids."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ttcs.core import Problem

MARK = "\N{OBJECT REPLACEMENT CHARACTER}"


class Conversation:
    """Encodes turn by turn as the chat template writes it, so that the tokens of a prefix are a prefix of the tokens.

    The template's text around a message is read off the template itself, with a mark in the place of the message.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        turn = [{"role": "user", "content": MARK}, {"role": "assistant", "content": "+"}]
        one = self._render([*turn[:1]], generate=True)
        two = self._render([*turn, *turn[:1]], generate=True)
        head, tail = one.split(MARK)
        between = two.removeprefix(head).split(MARK)[1]
        self._head = self._ids(head)  # BOS and the header of the first user turn
        self._ask = self._ids(tail)  # end of the user turn, header of the assistant's
        self._next = self._ids(between.removeprefix(tail))  # "+", its end, and the header of the next user turn
        self._step = lru_cache(maxsize=65536)(self._encode)

    def encode(self, problem: Problem, steps: list[str]) -> tuple[tuple[int, ...], list[int]]:
        """(token ids up to the prediction of the last answer, length of the prefix that predicts each step's)."""
        tokens, ends = list(self._head), []
        for place, step in enumerate(steps):
            if place:
                tokens += self._next
            content = f"{problem.question} {step.strip()}" if place == 0 else step.strip()
            tokens += self._step(content)
            tokens += self._ask
            ends.append(len(tokens))
        return tuple(tokens), ends

    def _encode(self, text: str) -> tuple[int, ...]:
        return tuple(self._ids(text))

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False).input_ids
        return ids

    def _render(self, messages: list[dict[str, str]], generate: bool) -> str:
        text: str = self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=generate)
        return text
