"""What a policy reads before it writes: a problem as a chat, with what was said before and attempts to revise."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ttcs.core import Message, Problem, Turn
from ttcs.errors import UserError
from ttcs.models.chat import chat, prompt_ids
from ttcs.models.pieces import MARK, Pieces, Prefix, around
from ttcs.models.reasoning import Thinking
from ttcs.models.revision import RevisionFormat
from ttcs.models.template import REFUSALS


class Prompt:
    """A problem as the tokens of a chat, up to where the assistant speaks.

    The tokens of a partial solution follow them as they are: no template ever sees it, so none can trim it. Nor does it
    see earlier attempts, of which only the end of the turn is the template's.
    system_prompt: None leaves it to the template. chat_template: a Jinja template, or its file, instead of the
    tokenizer's own. revision: how the model was trained to be asked for one, None: not at all. thinking: its turn
    begins as its thinking does. component: whose settings these are, for what a person is told.
    UserError when there is no template, when it does not take these messages, or when it leaves one of them out.
    """

    def __init__(
        self,
        tokenizer: Any,
        system_prompt: str | None = None,
        chat_template: str | None = None,
        revision: RevisionFormat | None = None,
        thinking: Thinking | None = None,
        component: str = "policy",
    ) -> None:
        self._tokenizer = tokenizer
        self._system = system_prompt
        self._template = _text(chat_template)
        self._revision = revision
        self._thinking = thinking
        self._special = frozenset(tokenizer.all_special_ids)
        self._ids = lru_cache(maxsize=4096)(self._encode)
        self._reply = lru_cache(maxsize=64)(self._encode_reply)
        try:
            self._encode("?", (), True)
        except REFUSALS as error:
            name = tokenizer.name_or_path
            if tokenizer.chat_template is None and self._template is None:
                raise UserError(
                    f"{name} has no chat template: {component}.chat_template takes one, or its file"
                ) from error
            raise UserError(f"the chat template of {name} does not take the prompt: {error}") from error

    def __call__(self, problem: Problem, history: Sequence[Turn] = ()) -> Prefix:
        """UserError when the model was not trained on such a history.

        Of earlier attempts a model that thinks is shown the answers, as its chat templates do.
        """
        self._check(history)
        ids = self._ids(problem.asked, problem.before, not history)
        for place, turn in enumerate(history, 1):
            said = tuple(token for step in turn.attempt.judged for token in step.tokens)
            ids += self._said(said) + self._reply(self._request(turn), problem.before, place == len(history))
        return ids

    def messages(self, problem: Problem, history: Sequence[Turn] = ()) -> list[dict[str, str]]:
        """The chat itself, for a server that has the template."""
        self._check(history)
        messages = chat(problem.asked, self._system, problem.before)
        for turn in history:
            messages += [
                {"role": "assistant", "content": "".join(step.text for step in turn.attempt.judged)},
                {"role": "user", "content": self._request(turn)},
            ]
        return messages

    def _encode(self, question: str, before: tuple[Message, ...], last: bool) -> Prefix:
        """last: the policy speaks next, so its thinking begins."""
        opened = self._thinking.opened if self._thinking is not None and last else None
        return tuple(prompt_ids(self._tokenizer, question, self._system, self._template, opened, before))

    def _said(self, tokens: Prefix) -> Prefix:
        """An attempt without the end of its turn, which the template writes."""
        end = len(tokens)
        while end and tokens[end - 1] in self._special:
            end -= 1
        return tokens[:end]

    def _encode_reply(self, request: str, before: tuple[Message, ...], last: bool) -> Prefix:
        """From the end of the assistant's turn to where it speaks again. last: as above."""
        asked = chat("?", self._system, before)
        said = [*asked, {"role": "assistant", "content": MARK}, {"role": "user", "content": request}]
        head, after = around(self._tokenizer, said, generate=True, template=self._template)
        pieces = Pieces(self._tokenizer)
        begun = pieces.first(head)
        if begun != self._ids("?", before, False)[-len(begun) :]:  # BOS may not be the template's
            name = self._tokenizer.name_or_path
            raise UserError(f"the chat template of {name} writes a turn in another way when more turns follow it")
        opened = self._thinking.opened(after) if self._thinking is not None and last else ""
        return pieces.inner(after + opened)

    def _request(self, turn: Turn) -> str:
        if turn.request is not None:
            return turn.request
        assert self._revision is not None
        return self._revision.request

    def _check(self, history: Sequence[Turn]) -> None:
        revised = sum(turn.request is None for turn in history)
        name = self._tokenizer.name_or_path
        if revised and self._revision is None:
            raise UserError(
                f"{name} was not trained to revise its attempts (it has no revision.json): choose another policy, or "
                "strategy=self_refine, which asks for it in words (docs/revisions.md: +policy.revision)"
            )
        if self._revision is not None and revised > self._revision.attempts:
            raise UserError(
                f"{revised} attempts in context, but {name} was trained on at most {self._revision.attempts}: "
                f"strategy.window={self._revision.attempts} or less"
            )


def _text(template: str | None) -> str | None:
    """A template given as text, or read from the file that is named."""
    if template is None or "{" in template:
        return template
    try:
        return Path(template).read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot read the chat template {template}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"the chat template {template} is not UTF-8 text") from error
