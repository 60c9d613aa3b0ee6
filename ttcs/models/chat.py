"""Chat prompts as token ids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ttcs.core import Message
from ttcs.models.template import render


def prompt_ids(
    tokenizer: Any,
    question: str,
    system: str | None = None,
    template: str | None = None,
    opened: Callable[[str], str] | None = None,
    before: Sequence[Message] = (),
) -> list[int]:
    """Token ids of the chat prompt up to where the assistant speaks. opened: what such a prompt lacks at its end.
    before: see `chat`.

    Templates as a rule write the tokenizer's BOS, so the text is encoded without special tokens; where one leaves it to
    the tokenizer (search-and-learn's for Llama) it is put in front: exactly one BOS.
    """
    text = render(tokenizer, chat(question, system, before), generate=True, template=template)
    text += opened(text) if opened else ""
    ids: list[int] = tokenizer(text, add_special_tokens=False).input_ids
    bos = tokenizer.bos_token_id
    lacking = bos is not None and ids[:1] != [bos] and tokenizer("").input_ids[:1] == [bos]
    return [bos, *ids] if lacking else ids


def chat(question: str, system: str | None, before: Sequence[Message] = ()) -> list[dict[str, str]]:
    """before: as a `Problem`'s; what the system says there follows on what it says anyway, in one message."""
    told = [*([system] if system else []), *(one.content for one in before if one.role == "system")]
    messages = [{"role": "system", "content": "\n\n".join(told)}] if told else []
    messages += [{"role": one.role, "content": one.content} for one in before if one.role != "system"]
    return [*messages, {"role": "user", "content": question}]
