"""Chat prompts as token ids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ttcs.models.template import render


def prompt_ids(
    tokenizer: Any,
    question: str,
    system: str | None = None,
    template: str | None = None,
    opened: Callable[[str], str] | None = None,
) -> list[int]:
    """Token ids of the chat prompt up to where the assistant speaks. opened: what such a prompt lacks at its end.

    Templates as a rule write the tokenizer's BOS, so the text is encoded without special tokens; where one leaves it to
    the tokenizer (search-and-learn's for Llama) it is put in front: exactly one BOS.
    """
    text = render(tokenizer, chat(question, system), generate=True, template=template)
    text += opened(text) if opened else ""
    ids: list[int] = tokenizer(text, add_special_tokens=False).input_ids
    bos = tokenizer.bos_token_id
    lacking = bos is not None and ids[:1] != [bos] and tokenizer("").input_ids[:1] == [bos]
    return [bos, *ids] if lacking else ids


def chat(question: str, system: str | None) -> list[dict[str, str]]:
    messages = [{"role": "system", "content": system}] if system else []
    return [*messages, {"role": "user", "content": question}]
