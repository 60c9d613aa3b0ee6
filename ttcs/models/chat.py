"""Chat prompts as token ids."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from ttcs.core import Problem
from ttcs.errors import UserError

# What templates call for today's date gives one and the same day, that of Llama 3.1's template, so that a run can be
# repeated.
DATE = {"%d": "26", "%m": "07", "%b": "Jul", "%B": "July", "%y": "24", "%Y": "2024"}
_SPELLED = "".join(f" | replace('{code}', '{text}')" for code, text in DATE.items())
SAME_DAY = f"{{%- macro strftime_now(format) %}}{{{{- format{_SPELLED} }}}}{{%- endmacro %}}"


class Prompt:
    """A problem as the tokens of a chat, up to where the assistant speaks.

    The tokens of a partial solution follow them as they are: no template ever sees it, so none can trim it.
    system_prompt: None leaves it to the template. chat_template: a Jinja template, or its file, instead of the
    tokenizer's own. UserError when there is none, or when it does not take these messages.
    """

    def __init__(self, tokenizer: Any, system_prompt: str | None = None, chat_template: str | None = None) -> None:
        self._tokenizer = tokenizer
        self._system = system_prompt
        self._template = _text(chat_template)
        self._ids = lru_cache(maxsize=4096)(self._encode)
        try:
            self._encode("?")
        except (TemplateError, ValueError) as error:
            name = tokenizer.name_or_path
            if tokenizer.chat_template is None and self._template is None:
                raise UserError(f"{name} has no chat template: policy.chat_template takes one, or its file") from error
            raise UserError(f"the chat template of {name} does not take the prompt: {error}") from error

    def __call__(self, problem: Problem) -> tuple[int, ...]:
        return self._ids(problem.question)

    def messages(self, problem: Problem) -> list[dict[str, str]]:
        """The chat itself, for a server that has the template."""
        return chat(problem.question, self._system)

    def _encode(self, question: str) -> tuple[int, ...]:
        return tuple(prompt_ids(self._tokenizer, question, self._system, self._template))


def prompt_ids(tokenizer: Any, question: str, system: str | None = None, template: str | None = None) -> list[int]:
    """Token ids of the chat prompt up to where the assistant speaks.

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
    ids: list[int] = tokenizer(text, add_special_tokens=False).input_ids
    bos = tokenizer.bos_token_id
    lacking = bos is not None and ids[:1] != [bos] and tokenizer("").input_ids[:1] == [bos]
    return [bos, *ids] if lacking else ids


def chat(question: str, system: str | None) -> list[dict[str, str]]:
    messages = [{"role": "system", "content": system}] if system else []
    return [*messages, {"role": "user", "content": question}]


def _text(template: str | None) -> str | None:
    """A template given as text, or read from the file that is named."""
    if template is None or "{" in template:
        return template
    try:
        return Path(template).expanduser().read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot read the chat template {template}: {error.strerror}") from error
