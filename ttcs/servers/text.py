"""Servers that give text: what they write is tokenised here, and steps are cut here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ttcs.config.unicode import whole
from ttcs.core import Continue
from ttcs.models.boundaries import BREAK
from ttcs.servers.api import Ask, Piece, Usage, choice, stopped, usage, without_logprobs
from ttcs.servers.client import DONE, Client
from ttcs.servers.failures import BusyError


@dataclass(frozen=True, slots=True)
class TextCompletions:
    """/completions of servers that take token ids and give text, such as llama.cpp.

    body: fields sent along, to switch off what the server would do to the distribution by itself.
    """

    body: Mapping[str, Any]

    def check(self, request: Continue) -> None:
        without_logprobs(request)

    async def piece(self, client: Client[Any], tokenizer: Any, ask: Ask) -> Piece:
        body = {
            **ask.sampling(),
            "prompt": ask.prompt,
            "max_tokens": ask.max_tokens,
            **ask.stops(),
            **ask.beside(self.body),
        }
        return await write(client, tokenizer, "completions", body, ask, lambda said: said.get("text") or "")


async def write(
    client: Client[Any],
    tokenizer: Any,
    path: str,
    body: Mapping[str, Any],
    ask: Ask,
    read: Callable[[Any], str],
    trim: bool = False,
) -> Piece:
    """What the server writes. Where no more than a step is asked for, it is stopped where that ends.

    A stop string would do that too, but then a server of this kind does not tell a step's end from the solution's.
    read: a choice of an answer, or of an event of it -> its text. trim: drop line breaks that the text begins with.
    """
    if not ask.stepwise:
        answer = await client.post(path, body)
        said = choice(client, answer)
        text = read(said).lstrip("\n") if trim else read(said)
        return _whole(tokenizer, text, said.get("finish_reason"), usage(answer), ask.max_tokens)

    async def hear(events: AsyncIterator[Any]) -> Piece:
        text, finish, counts, done = "", None, usage({}), False
        async for event in events:
            done = done or event is DONE
            counts = usage(event) if event.get("usage") else counts
            for said in event.get("choices") or ():
                text = (text + read(said)).lstrip("\n") if trim else text + read(said)
                finish = said.get("finish_reason") or finish
            if (end := _step_end(text)) is not None:
                return _piece(tokenizer, text[:end], None, counts)
        if finish is None and not done:
            raise BusyError("an answer broke off", None)
        return _whole(tokenizer, text, finish, counts, ask.max_tokens)

    return await client.listen(path, {**body, "stream": True}, hear)


def _whole(tokenizer: Any, text: str, finish: str | None, counts: Usage, most: int) -> Piece:
    """finish: None where the server does not say. most: tokens that it was asked for."""
    piece = _piece(tokenizer, text, finish, counts)
    made = max(len(piece.tokens), piece.written or 0)
    return piece if finish else _piece(tokenizer, text, stopped(finish, made, most), counts)


def _piece(tokenizer: Any, text: str, finish: str | None, counts: Usage) -> Piece:
    """finish: None where the step was cut here."""
    tokens: list[int] = tokenizer(whole(text), add_special_tokens=False).input_ids
    return Piece(tokens, finish == "stop", finish not in (None, "stop"), *counts)


def _step_end(text: str) -> int | None:
    """Where the first step ends that is more than white space."""
    end = text.find(BREAK, len(text) - len(text.lstrip()))
    return None if end < 0 else end + len(BREAK)
