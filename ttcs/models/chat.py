"""Chat prompts as token ids."""

from __future__ import annotations

from typing import Any


def prompt_ids(tokenizer: Any, question: str, system: str | None = None) -> list[int]:
    """Token ids of the chat prompt up to where the assistant speaks.

    The template already writes the tokenizer's BOS, so the text is encoded without special tokens: exactly one BOS.
    """
    messages = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": question})
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    ids: list[int] = tokenizer(text, add_special_tokens=False).input_ids
    return ids
