"""/chat/completions: what every server and hosted API offers, and the least of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ttcs.core import Continue
from ttcs.errors import UserError
from ttcs.servers.api import Ask, Piece, without_logprobs
from ttcs.servers.client import Client
from ttcs.servers.text import write


@dataclass(frozen=True, slots=True)
class Chat:
    """The server's own template writes the prompt; its answer is tokenised here.

    body: fields sent along. limit: what the server calls the limit on tokens (max_completion_tokens at OpenAI).
    resume_message, resume_body: what a server wants to hear, in the assistant's message or in the request, to go on
    with a partial solution ({prefix: true}; {continue_final_message: true, add_generation_prompt: false}). Both None:
    it cannot, so there are whole solutions only.
    """

    body: Mapping[str, Any]
    limit: str = "max_tokens"
    resume_message: Mapping[str, Any] | None = None
    resume_body: Mapping[str, Any] | None = None

    def check(self, request: Continue) -> None:
        without_logprobs(request)
        whole = request.max_steps is None and request.thinking is None and not request.trajectory.steps
        if not whole and self.resume_message is None and self.resume_body is None:
            raise UserError(
                "a chat API writes whole solutions, but this strategy continues partial ones: choose "
                "policy/engine=server, or say with policy.api.resume_body or policy.api.resume_message how this "
                "server is asked to"
            )

    async def piece(self, client: Client[Any], tokenizer: Any, ask: Ask) -> Piece:
        messages: list[Mapping[str, Any]] = list(ask.messages)
        body = {**ask.sampling(), self.limit: ask.max_tokens, **ask.stops(), **ask.beside(self.body)}
        if ask.written:
            messages.append({"role": "assistant", "content": ask.written, **(self.resume_message or {})})
            body |= self.resume_body or {}
        # A template may trim the message it continues, and the model then writes the line breaks once more.
        trim = ask.written.endswith("\n")
        body["messages"] = messages
        return await write(client, tokenizer, "chat/completions", body, ask, _content, trim)


def _content(said: Any) -> str:
    """Its text, which some servers give in chunks, some of them of other things."""
    content = (said.get("message") or said.get("delta") or {}).get("content") or ""
    return content if isinstance(content, str) else "".join(map(_text, content))


def _text(chunk: Any) -> str:
    text = chunk.get("text") if isinstance(chunk, dict) else chunk
    return text if isinstance(text, str) else ""
