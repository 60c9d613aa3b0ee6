"""Servers that give text: what they write is tokenised here, and steps are cut here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ttcs.core import Continue
from ttcs.models.boundaries import BREAK
from ttcs.servers.api import Ask, Piece, choice, usage, without_logprobs
from ttcs.servers.client import Client
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
        body = {**ask.sampling(), "prompt": ask.prompt, "max_tokens": ask.max_tokens, **ask.stops(), **self.body}
        return await write(client, tokenizer, "completions", body, ask.stepwise, lambda said: said["text"])


async def write(
    client: Client[Any],
    tokenizer: Any,
    path: str,
    body: Mapping[str, Any],
    stepwise: bool,
    read: Callable[[Any], str],
    trim: bool = False,
) -> Piece:
    """What the server writes. stepwise: it is stopped where the step ends.

    A stop string would do that too, but then a server of this kind does not tell a step's end from the solution's.
    read: a choice of an answer, or of an event of it -> its text. trim: drop line breaks that the text begins with.
    """
    if not stepwise:
        answer = await client.post(path, body)
        said = choice(client, answer)
        text = read(said).lstrip("\n") if trim else read(said)
        return _piece(tokenizer, text, said.get("finish_reason"), usage(answer))

    async def hear(events: AsyncIterator[Any]) -> Piece:
        text, finish, counts = "", None, usage({})
        async for event in events:
            counts = usage(event) if event.get("usage") else counts
            for said in event["choices"]:
                text = (text + read(said)).lstrip("\n") if trim else text + read(said)
                finish = said.get("finish_reason") or finish
            if (end := _step_end(text)) is not None:
                return _piece(tokenizer, text[:end], None, counts)
        if finish is None:
            raise BusyError("an answer broke off", None)
        return _piece(tokenizer, text, finish, counts)

    return await client.listen(path, {**body, "stream": True}, hear)


def _piece(tokenizer: Any, text: str, finish: str | None, counts: tuple[int | None, int | None]) -> Piece:
    """finish: None where the step was cut here."""
    tokens: list[int] = tokenizer(text, add_special_tokens=False).input_ids
    return Piece(tokens, finish == "stop", finish not in (None, "stop"), *counts)


def _step_end(text: str) -> int | None:
    """Where the first step ends that is more than white space."""
    end = text.find(BREAK, len(text) - len(text.lstrip()))
    return None if end < 0 else end + len(BREAK)
