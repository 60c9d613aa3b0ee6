"""/completions of servers that take and give token ids: vLLM, SGLang."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from heapq import nlargest
from math import fsum
from typing import Any

from ttcs.core import Continue
from ttcs.errors import UserError
from ttcs.models.boundaries import BREAK
from ttcs.servers.api import Ask, Piece, choice, stopped, usage
from ttcs.servers.client import Client

BOX = r"\boxed"


@dataclass(frozen=True, slots=True)
class TokenCompletions:
    """Solutions go on at the very token they stopped at.

    body: fields sent along. The server must be told to return token ids, and that no sampling default of the
    checkpoint's (top_k, repetition_penalty, ...) is wanted.
    """

    body: Mapping[str, Any]

    def check(self, request: Continue) -> None:
        """Serves them all."""

    async def piece(self, client: Client[Any], tokenizer: Any, ask: Ask) -> Piece:
        body = {
            **ask.sampling(),
            "prompt": ask.prompt,
            "max_tokens": ask.max_tokens,
            "stop": _stop(ask),
            **ask.beside(self.body),
        }
        if ask.mark is not None:
            body["skip_special_tokens"] = False  # else the mark is in no text that is searched for it
        if ask.logprobs or ask.confidence is not None:
            body["logprobs"] = ask.confidence or 1
        if ask.confidence is not None:
            body["return_tokens_as_token_ids"] = True  # else tokens of the same text are one
        answer = await client.post("completions", body)
        said = choice(client, answer)
        if said.get("token_ids") is None:
            raise UserError(f"{client.url} returns no token ids: choose {client.name}/engine=server_text")
        tokens = said["token_ids"]
        finish = stopped(said.get("finish_reason"), len(tokens), ask.max_tokens)
        stopped_at = said.get("stop_reason", said.get("matched_stop"))  # vLLM's name for it, SGLang's
        if said.get("finish_reason") is None and stopped_at is None:
            written = tokenizer.decode(tokens)
            stopped_at = next((stop for stop in body["stop"] if stop in written), None)
        over = finish == "stop" and not isinstance(stopped_at, str)
        cut = finish != "stop" or not (over or tokens)
        told = _logprobs(client, said) if ask.logprobs else None
        sure = None if ask.confidence is None else _confidences(client, said, ask.confidence)
        return Piece(tokens, over, cut, *usage(answer), told, sure)


def _logprobs(client: Client[Any], said: Mapping[str, Any]) -> list[float]:
    told: list[float] = (said.get("logprobs") or {}).get("token_logprobs") or []
    if len(told) != len(said["token_ids"]):
        raise UserError(f"{client.url} gave {len(told)} log-probabilities of {len(said['token_ids'])} tokens")
    return told


def _confidences(client: Client[Any], said: Mapping[str, Any], k: int) -> list[float]:
    """Of each token from the k likeliest; the one that was written comes on top of them where it is none."""
    told: list[Mapping[str, float]] = (said.get("logprobs") or {}).get("top_logprobs") or []
    if len(told) != len(said["token_ids"]) or not all(told):
        raise UserError(f"{client.url} gave the likeliest of {len(told)} of {len(said['token_ids'])} tokens")
    likeliest = [nlargest(k, one.values()) for one in told]
    return [-fsum(values) / len(values) for values in likeliest]


def _stop(ask: Ask) -> list[str]:
    """Whole solutions stop at the box, and once more where the step with the box ends: nothing is decoded in vain."""
    mark = [] if ask.mark is None else [ask.mark]
    if ask.stepwise or BOX in ask.last:
        return [BREAK, *mark]
    return [BOX] if ask.ends_at_box and not mark else mark
