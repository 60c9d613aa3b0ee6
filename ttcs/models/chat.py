"""Chat prompts as token ids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# What templates call for today's date gives one and the same day, that of Llama 3.1's template, so that a run can be
# repeated.
DATE = {"%d": "26", "%m": "07", "%b": "Jul", "%B": "July", "%y": "24", "%Y": "2024"}
_SPELLED = "".join(f" | replace('{code}', '{text}')" for code, text in DATE.items())
SAME_DAY = f"{{%- macro strftime_now(format) %}}{{{{- format{_SPELLED} }}}}{{%- endmacro %}}"


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
    Templates that write today's date (Llama 3.2's) all write the same one.
    """
    text = tokenizer.apply_chat_template(
        chat(question, system),
        tokenize=False,
        add_generation_prompt=True,
        chat_template=SAME_DAY + tokenizer.get_chat_template(template),
    )
    text += opened(text) if opened else ""
    ids: list[int] = tokenizer(text, add_special_tokens=False).input_ids
    bos = tokenizer.bos_token_id
    lacking = bos is not None and ids[:1] != [bos] and tokenizer("").input_ids[:1] == [bos]
    return [bos, *ids] if lacking else ids


def chat(question: str, system: str | None) -> list[dict[str, str]]:
    messages = [{"role": "system", "content": system}] if system else []
    return [*messages, {"role": "user", "content": question}]
