"""A problem and its steps as the chat that RLHFlow's PRMs read, in token ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ttcs.core import Problem
from ttcs.errors import UserError
from ttcs.models.pieces import MARK, Pieces, Prefix, around


class Conversation:
    """Encodes turn by turn as the chat template writes it, so that the tokens of a prefix are a prefix of the tokens.

    The template's text around a message is read off the template itself.
    """

    def __init__(self, tokenizer: Any) -> None:
        turn = [{"role": "user", "content": MARK}, {"role": "assistant", "content": "+"}]
        head, tail = around(tokenizer, turn[:1], generate=True)
        last = [{"role": "user", "content": "?"}, turn[1], turn[0]]
        before, _ = around(tokenizer, last, generate=True)
        if not before.startswith(f"{head}?{tail}"):
            raise UserError("the PRM's chat template writes a turn in another way when more turns follow it")
        pieces = Pieces(tokenizer)
        self._encode = pieces.inner
        self._head = pieces.first(head)  # BOS and the header of the first user turn
        self._ask = self._encode(tail)  # end of the user turn, header of the assistant's
        # "+", its end, and the header of the next user turn
        self._next = self._encode(before.removeprefix(f"{head}?{tail}"))

    @property
    def tail(self) -> int:
        """How many tokens of a prefix come after the text of its step."""
        return len(self._ask)

    def encode(self, problem: Problem, steps: Sequence[str]) -> tuple[Prefix, list[int]]:
        """(token ids up to the prediction of the last answer, length of the prefix that predicts each step's)."""
        tokens, ends = list(self._head), []
        for place, step in enumerate(steps):
            if place:
                tokens += self._next
            tokens += self._encode(opening(problem, place) + step.strip())
            tokens += self._ask
            ends.append(len(tokens))
        return tuple(tokens), ends


def opening(problem: Problem, place: int) -> str:
    """What stands before the text of a step in its turn."""
    return "" if place else f"{problem.question} "
