"""A chat as the template of a model writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from jinja2 import TemplateError

from ttcs.errors import UserError

# What templates call for today's date gives one and the same day, that of Llama 3.1's template, so that a run can be
# repeated.
DATE = {"%d": "26", "%m": "07", "%b": "Jul", "%B": "July", "%y": "24", "%Y": "2024"}
_SPELLED = "".join(f" | replace('{code}', '{text}')" for code, text in DATE.items())
SAME_DAY = f"{{%- macro strftime_now(format) %}}{{{{- format{_SPELLED} }}}}{{%- endmacro %}}"

REFUSALS = TemplateError, ValueError, TypeError  # what a template that does not take a chat raises
LACKING = {
    "system": "the system prompt nowhere: leave it out (null), or give another template",
    "user": "the question nowhere, so that all would be one prompt: it needs another template",
    "assistant": "the assistant's messages nowhere: it needs another template",
}
FIRST = 0xE000  # characters for private use stand for messages while it is found out what is written of them

Content = Callable[[str], Any]
Messages = Sequence[Mapping[str, str]]


def render(tokenizer: Any, messages: Messages, generate: bool, template: str | None = None) -> str:
    """The text of a chat. generate: up to where the assistant speaks. template: instead of the tokenizer's own.

    Most templates take a message as text, those of models that see pictures often as a list of parts; which one this
    one wants is told by what it writes. Templates that write today's date (Llama 3.2's) all write the same one.
    UserError where it leaves a message out: questions would be one prompt, or a system prompt have no effect. What it
    raises itself, one of REFUSALS, goes through.
    """
    chat = _Chat(tokenizer, SAME_DAY + tokenizer.get_chat_template(template), generate)
    roles = [message["role"] for message in messages]
    return chat.write(messages, _contents(chat, roles))


@dataclass(frozen=True, slots=True)
class _Chat:
    tokenizer: Any
    template: str
    generate: bool

    def write(self, messages: Messages, contents: Mapping[str, Content]) -> str:
        text: str = self.tokenizer.apply_chat_template(
            [{**message, "content": contents[message["role"]](message["content"])} for message in messages],
            tokenize=False,
            add_generation_prompt=self.generate,
            chat_template=self.template,
        )
        return text

    def lacking(self, roles: Sequence[str], contents: Mapping[str, Content]) -> list[str]:
        """The roles of messages that are not written, or not as they are."""
        marks = [chr(FIRST + place) for place in range(len(roles))]
        messages = [{"role": role, "content": mark} for role, mark in zip(roles, marks, strict=True)]
        text = self.write(messages, contents)
        return [role for role, mark in zip(roles, marks, strict=True) if mark not in text or str(_parts(mark)) in text]


def _contents(chat: _Chat, roles: Sequence[str]) -> dict[str, Content]:
    """How the template wants the content of each role's messages."""
    refusal: Exception | None = None
    found: list[tuple[list[str], dict[str, Content]]] = []
    for contents in _ways(roles):
        try:
            lacking = chat.lacking(roles, contents)
        except REFUSALS as error:
            refusal = refusal or error
            continue
        if not lacking:
            return contents
        found.append((lacking, contents))
    if not found:
        assert refusal is not None
        raise refusal
    lacking, _ = min(found, key=lambda way: len(way[0]))
    raise UserError(f"the chat template of {chat.tokenizer.name_or_path} writes {LACKING[lacking[0]]}")


def _ways(roles: Sequence[str]) -> Iterator[dict[str, Content]]:
    """Text for all of them first."""
    different = list(dict.fromkeys(roles))
    for contents in product((_text, _parts), repeat=len(different)):
        yield dict(zip(different, contents, strict=True))


def _text(content: str) -> str:
    return content


def _parts(content: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": content}]
