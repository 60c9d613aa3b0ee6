"""The messages of a request: what is asked last, and what was said before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ttcs.core import Message, Problem
from ttcs.serve.refusals import RefusedError
from ttcs.solving.solver import question

SYSTEM = "system", "developer"  # two names of one role
OTHER: tuple[Any, ...] = (None, "", [], {})  # what keys beside role and content may say: nothing


def conversation(messages: Any) -> Problem:
    """The last question. RefusedError where it is none, or what leads to it is no conversation."""
    if not isinstance(messages, list) or not messages or not all(isinstance(one, dict) for one in messages):
        raise RefusedError(400, "messages is not a list of messages", "messages")
    roles = [str(one.get("role")) for one in messages]
    told = next((place for place, role in enumerate(roles) if role not in SYSTEM), len(roles))
    turns = roles[told:]
    if len(turns) % 2 == 0 or any(role != ("user", "assistant")[place % 2] for place, role in enumerate(turns)):
        raise RefusedError(
            400,
            f"messages have the roles {', '.join(roles)}: behind those of the system, user and assistant take turns, "
            "and the user has the last word",
            "messages",
        )
    *before, last = map(_text, messages)
    said = [Message("system" if place < told else roles[place], text) for place, text in enumerate(before)]
    return question(last, tuple(said))


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    for key, value in message.items():
        if key not in ("role", "content") and value not in OTHER and (key, value) != ("type", "text"):
            raise RefusedError(400, f"the {key} of a message cannot be honoured", "messages")
    if isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content):
        content = "".join(str(part.get("text", "")) for part in content)
    if not isinstance(content, str) or not content.strip():
        raise RefusedError(400, "the message has no text", "messages")
    return content
